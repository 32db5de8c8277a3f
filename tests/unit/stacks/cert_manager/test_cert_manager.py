"""cert_manager: what its chart's stand-in makes, and what of it outlives a release."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.cert_manager.facts import CHART
from aiinfra.domains.kubernetes.lab.standins.charts.known import check_failures, manifest_of
from aiinfra.domains.kubernetes.lab.standins.charts.release import is_kept


def release(**values: Any) -> dict[str, Any]:
    repository = {"repo": "https://charts.jetstack.io"}
    where = {"chart": "cert-manager", "repositoryOpts": repository, "version": "v1.21.1"}
    return {**where, "name": "cert-manager", "namespace": "certs", "values": values}


def made(kind: str, **values: Any) -> list[Any]:
    return [obj for obj in manifest_of(release(**values)).objects if obj["kind"] == kind]


def test_three_deployments_run_in_the_namespace_of_the_release() -> None:
    assert [(obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in made("Deployment")] == [
        ("certs", "cert-manager"),
        ("certs", "cert-manager-cainjector"),
        ("certs", "cert-manager-webhook"),
    ]


def test_its_definitions_come_when_they_are_asked_for_and_stay_unless_told_otherwise() -> None:
    definitions = made("CustomResourceDefinition", crds={"enabled": True})
    assert sorted(obj["metadata"]["name"] for obj in definitions) == sorted(CHART.crds)
    assert all(map(is_kept, definitions))
    assert not any(map(is_kept, made("CustomResourceDefinition", crds={"enabled": True, "keep": False})))
    assert made("CustomResourceDefinition") == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"crds": {"enabled": True}, "global": {"leaderElection": {"namespace": "certs"}}}, []),
        (
            {"crds": {"install": True}},
            ["chart cert-manager v1.21.1: no value crds.install is known"],
        ),
    ],
)
def test_values_that_the_chart_does_not_know_are_refused(values: dict[str, Any], says: list[str]) -> None:
    assert [failure.reason for failure in check_failures(release(**values))] == says
