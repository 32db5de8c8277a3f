"""Which of Helm's records an interrupted run left that block the next one."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.objects.settling import blocking_records


def record(name: str, version: int, status: str) -> dict[str, Any]:
    metadata = {
        "name": f"sh.helm.release.v1.{name}.v{version}",
        "namespace": "gpu",
        "labels": {"owner": "helm", "name": name, "status": status, "version": str(version)},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


def found(held: set[str], *records: dict[str, Any]) -> list[str]:
    return [ref.name for ref in blocking_records(records, held)]


def test_a_release_that_the_state_holds_and_that_is_deployed_is_left_alone() -> None:
    assert found({"gpu/nfd"}, record("nfd", 1, "superseded"), record("nfd", 2, "deployed")) == []


def test_a_release_that_failed_is_installed_again() -> None:
    records = [record("nfd", 1, "superseded"), record("nfd", 2, "failed")]
    assert found({"gpu/nfd"}, *records) == ["sh.helm.release.v1.nfd.v1", "sh.helm.release.v1.nfd.v2"]


def test_all_revisions_of_a_release_that_the_state_does_not_hold_are_in_the_way() -> None:
    records = [record("nfd", 2, "deployed"), record("nfd", 1, "superseded"), record("gpu", 1, "deployed")]
    assert found({"gpu/gpu"}, *records) == ["sh.helm.release.v1.nfd.v1", "sh.helm.release.v1.nfd.v2"]


def test_of_an_upgrade_that_never_ended_only_its_own_revision_is_in_the_way() -> None:
    records = [record("nfd", 9, "deployed"), record("nfd", 10, "pending-upgrade")]
    assert found({"gpu/nfd"}, *records) == ["sh.helm.release.v1.nfd.v10"]


def test_a_release_whose_deletion_was_begun_is_no_release_any_more() -> None:
    records = [record("nfd", 1, "superseded"), record("nfd", 2, "uninstalling")]
    assert found({"gpu/nfd"}, *records) == ["sh.helm.release.v1.nfd.v1", "sh.helm.release.v1.nfd.v2"]
