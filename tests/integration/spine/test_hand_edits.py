"""What people change by hand in a chart's objects: a refresh shows it field by field, the next up puts it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.waiting import Pending, Waiter
from tests.integration.spine.lab_site import cluster, place_example
from tests.integration.spine.site import Site, Told

pytestmark = [pytest.mark.engine, pytest.mark.lab]
NFD, OPERATOR = "node-feature-discovery", "gpu-operator"
CONFIG = ObjectRef("v1", "ConfigMap", f"{NFD}-worker-conf", NFD)
WORKER = ObjectRef("apps/v1", "DaemonSet", f"{NFD}-worker", NFD)
MASTER = ObjectRef("apps/v1", "Deployment", f"{NFD}-master", NFD)
ROLE = ObjectRef("rbac.authorization.k8s.io/v1", "ClusterRole", OPERATOR)
DEPLOYMENT = ObjectRef("apps/v1", "Deployment", OPERATOR, OPERATOR)
POLICY = ObjectRef("nvidia.com/v1", "ClusterPolicy", "cluster-policy")
DEFINITION = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "nodefeaturerules.nfd.k8s-sigs.io")
REPAIRS = "the world differs; aiinfra up lab repairs it"


@pytest.fixture
def site(make_site: Callable[..., Site], lab_servers: Mapping[str, Path]) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(made)
    assert made.result("up", "--until", "gpu-operator")["exit_code"] == 0
    yield made
    made.run("lab", "stop", "lab")


@pytest.fixture
def client(site: Site) -> Iterator[KubeClient]:
    with cluster(site) as opened:
        yield opened


def differs(told: Told) -> dict[str, list[str]]:
    """What a refresh says of each stack that it found changed."""
    return {result["stack"]: list(result["drift"]) for result in told["results"] if result["outcome"] == "changed"}


def refreshed(site: Site) -> Told:
    told: Told = json.loads(site.run("refresh", "lab", "--until", "gpu-operator", "--output", "json").stdout)
    return told


def wanted(client: KubeClient, ref: ObjectRef) -> Any:
    """What an object is meant to be, without what servers note on it."""
    live = client.get(ref)
    assert live is not None, ref
    return {key: live[key] for key in ("spec", "data", "rules") if key in live}


def gone(client: KubeClient, ref: ObjectRef) -> None:
    client.delete(ref)
    Waiter(20).until(lambda: Pending(f"{ref} to go") if client.get(ref) else True)


def lacking(client: KubeClient, ref: ObjectRef) -> None:
    """Wait until a pod of the DaemonSet is not available."""

    def unavailable() -> Pending | bool:
        live = client.get(ref) or {}
        return True if live["status"].get("numberUnavailable") else Pending(f"{ref} to lack a pod")

    Waiter(20).until(unavailable)


def test_every_edit_is_shown_and_put_back(site: Site, client: KubeClient) -> None:
    touched = (CONFIG, WORKER, MASTER, ROLE, DEPLOYMENT, POLICY)
    before = {ref: wanted(client, ref) for ref in touched}
    assert differs(refreshed(site)) == {}

    gone(client, CONFIG)
    gone(client, WORKER)
    image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "mine:1"}]
    client.patch(MASTER, image, type="json")
    client.patch(ROLE, [{"op": "remove", "path": "/rules/0"}], type="json")
    client.patch(DEPLOYMENT, {"spec": {"replicas": 0}})
    edits = {"mig": {"strategy": "mixed"}, "dcgmExporter": {"enabled": False}, "driver": {"version": None}}
    client.patch(POLICY, {"spec": edits})

    told = refreshed(site)
    shown = before[MASTER]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert differs(told) == {
        "nfd": [
            f"ConfigMap {NFD}/{NFD}-worker-conf is gone",
            f"DaemonSet {NFD}/{NFD}-worker is gone",
            f"Deployment {NFD}/{NFD}-master: spec.template.spec.containers[0].image is mine:1, not {shown}",
        ],
        "gpu-operator": [
            "ClusterRole gpu-operator: rules differs",
            "Deployment gpu-operator/gpu-operator: spec.replicas is 0, not 1",
            "ClusterPolicy cluster-policy: spec.dcgmExporter.enabled is false, not true",
            "ClusterPolicy cluster-policy: spec.driver.version is gone",
            "ClusterPolicy cluster-policy: spec.mig.strategy is mixed, not single",
        ],
    }
    assert [result["reason"] for result in told["results"][1:]] == ["drifted", "drifted"]

    again = site.run("refresh", "lab", "--until", "gpu-operator", "--summary", "told.md").stdout
    assert "gpu-operator differs:\n  ClusterRole gpu-operator: rules differs\n  Deployment gpu-operator/" in again
    assert f"gpu-operator | ✓ done ({REPAIRS}) · " in again
    assert "- ClusterPolicy cluster-policy: spec.mig.strategy is mixed, not single" in (
        (site.folder / "told.md").read_text().splitlines()
    )
    assert "would update Ready ready (drift" in site.run("preview", "lab", "--until", "gpu-operator").stdout

    repaired = site.result("up", "--until", "gpu-operator")
    assert repaired["exit_code"] == 0, repaired
    assert {ref: wanted(client, ref) for ref in touched} == before
    assert differs(refreshed(site)) == {}


def test_a_definition_that_helm_does_not_bring_back_is_said_to_be_lost(site: Site, client: KubeClient) -> None:
    gone(client, DEFINITION)
    out = "destroy this stack with what needs it, and bring them up again"
    told = refreshed(site)
    assert differs(told) == {"nfd": [f"{DEFINITION} is gone, and no upgrade brings it back: {out}"]}
    assert told["results"][1]["reason"] == "drifted_partly_repairable"
    failed = site.result("up", "--until", "gpu-operator")
    (error,) = failed["errors"]
    assert (failed["exit_code"], error["message"], error["hint"]) == (4, f"{DEFINITION} is gone", out)

    assert site.result("destroy", "--only", "nfd", "--only", "gpu-operator")["exit_code"] == 0
    assert site.result("up", "--until", "gpu-operator")["exit_code"] == 0
    assert differs(refreshed(site)) == {}


def test_an_up_notices_what_was_changed_by_hand_says_it_and_puts_it_right(site: Site, client: KubeClient) -> None:
    touched = (WORKER, POLICY)
    before = {ref: wanted(client, ref) for ref in touched}
    account = [{"op": "replace", "path": "/spec/template/spec/serviceAccountName", "value": "nobody"}]
    client.patch(WORKER, account, type="json")
    lacking(client, WORKER)
    gone(client, POLICY)

    previewed = site.run("preview", "lab", "--until", "gpu-operator").stdout
    noticed = (
        f"nfd is not as it was: DaemonSet {NFD}/{NFD}-worker was changed\n"
        "gpu-operator is not as it was: ClusterPolicy cluster-policy is not there\n"
    )
    assert noticed in previewed
    assert "would update Ready ready (drift" in previewed

    done = site.run("up", "lab", "--until", "gpu-operator")
    assert noticed in done.stdout
    assert done.returncode == 0
    assert {ref: wanted(client, ref) for ref in touched} == before
    again = site.run("up", "lab", "--until", "gpu-operator").stdout
    assert "is not as it was" not in again
    assert "lab · 6 unchanged" in again or "lab · 3 unchanged" in again


def test_an_up_that_refreshes_puts_right_what_a_cheap_look_does_not_see(site: Site, client: KubeClient) -> None:
    account = ObjectRef("v1", "ServiceAccount", f"{NFD}-worker", NFD)
    client.patch(account, {"metadata": {"labels": {"helm.sh/chart": "other"}}})
    assert "is not as it was" not in site.run("up", "lab", "--until", "nfd").stdout
    assert site.run("up", "lab", "--until", "nfd", "--refresh").returncode == 0
    live = client.get(account)
    assert live is not None
    assert live["metadata"]["labels"]["helm.sh/chart"].startswith("node-feature-discovery-")
