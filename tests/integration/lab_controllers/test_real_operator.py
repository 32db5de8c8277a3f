"""The stand-in of the GPU Operator beside the real one, in two clusters that are alike: what differs is listed here.

The real one is v25.3.4, the newest whose Go module can be had; the stand-in follows v26.7.0.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import DRIVER_OWNER
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.belongings import ALL_KINDS
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.lab.block import LabCluster
from aiinfra.domains.kubernetes.lab.controllers.view import BUILT_IN
from aiinfra.lab.lab import Lab
from aiinfra.toolchain import Toolchain
from aiinfra.waiting import Pending, Waiter
from aiinfra.world import World
from tests.integration.lab_controllers.conftest import NAMESPACE, POLICY, Site
from tests.integration.lab_controllers.test_gpu_operator import UPGRADE_STATES
from tests.labs import kubeconfig, open_clusters

pytestmark = [pytest.mark.lab, pytest.mark.slow]
STATE = "nvidia.com/gpu-driver-upgrade-state"
UPGRADE_LIMIT = 900.0
"""Seconds; where no event comes the real controller looks again every two minutes."""
REST = 8.0
"""Seconds; the real operator looks again after five while something is not ready."""
SKEW: Mapping[str, str] = {
    r"node .* label nvidia\.com/gpu\.deploy\.client": "new in v26.7.0",
    r"node .* label nvidia\.com/gpu-operator\.driver\.owner": "new in v26.7.0",
    r"daemonset .* annotation openshift\.io/scc": "read on OpenShift alone",
    r"daemonset .* template annotation (kubectl|openshift)\.": "read by people and on OpenShift",
    r"daemonset .* template annotation lab\.": "the stand-in marks its pods for the lab's kubelets",
    r"daemonset .* (annotation nvidia\.com/last-applied-hash|hash)": "a digest of all that differs",
    r"condition .* message": "v25.3.4 writes `ClusterPolicy is not ready, states not ready`",
    r"configmap nvidia-driver-startup-probe": "new in v26.7.0",
    r"clusterrole(binding)? nvidia-dcgm-exporter-read-pods": "new in v26.7.0",
}
"""What may differ, by a pattern of the whole line, and why."""


@pytest.fixture(scope="module")
def pair(lab_servers: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Site]]:
    """A cluster with the stand-in and one with the real operator."""
    programs = {**lab_servers, **Toolchain(World.real()).ensure(["nvidia-gpu-operator", "aiinfra-helm"])}
    clusters = {"ours": LabCluster(), "real": LabCluster(operators="real")}
    lab = open_clusters(tmp_path_factory.mktemp("operators") / "lab", programs, clusters)
    with _client(lab, "ours") as ours, _client(lab, "real") as real:
        yield {"ours": Site(lab, ours), "real": Site(lab, real)}
    lab.stop()


def _client(lab: Lab, cluster: str) -> KubeClient:
    return KubeClient.from_kubeconfig(kubeconfig(lab, cluster))


@pytest.fixture
def emptied(pair: Mapping[str, Site]) -> Iterator[Mapping[str, Site]]:
    yield pair
    for site in pair.values():
        for driver in site.client.list("nvidia.com/v1alpha1", "NVIDIADriver"):
            site.client.delete(ObjectRef.of(driver))
        site.empty()


MPS = "version: v1\nsharing: {mps: {resources: [{name: nvidia.com/gpu, replicas: 4}]}}\n"
SCENARIOS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "mps": {"devicePlugin": {"config": {"create": True, "name": "plugin", "default": "any", "data": {"any": MPS}}}},
    "precompiled": {"driver": {"usePrecompiled": True, "version": "580"}},
    "nvidia-driver": {"driver": {"nvidiaDriverCRD": {"enabled": True}}},
    "optional": {"dcgm": {"enabled": True}, "nodeStatusExporter": {"enabled": True}, "cdi": {"enabled": False}},
    "no-gpu": {"nfd": {"enabled": False}},
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_stand_in_does_what_the_real_operator_does(scenario: str, emptied: Mapping[str, Site]) -> None:
    reason = "NFDLabelsMissing" if scenario == "no-gpu" else "Reconciled"
    for site in emptied.values():
        site.install(values=SCENARIOS[scenario])
    seen = _settled(emptied, reason)
    differences = [
        f"{key}: {seen['ours'].get(key)!r} against the real {seen['real'].get(key)!r}"
        for key in sorted(seen["ours"].keys() | seen["real"].keys())
        if seen["ours"].get(key) != seen["real"].get(key) and not any(re.match(known, key) for known in SKEW)
    ]
    assert not differences, "\n".join(differences)


def test_a_driver_upgrade_goes_through_the_same_states_with_the_node_cordoned(emptied: Mapping[str, Site]) -> None:
    for site in emptied.values():
        site.install()
    for site in emptied.values():
        site.until_ready()
        site.until(partial(_at_rest, site), "upgrade-done on both nodes")
        with site.watching_nodes(STATE) as seen:
            site.client.patch(POLICY, {"spec": {"driver": {"version": "580.105.08"}}})
            Waiter(UPGRADE_LIMIT, every=0.5).until(partial(_upgraded, site))
        for node in ("gpu-0", "gpu-1"):
            states = [state for at, (state, _) in enumerate(seen[node]) if not at or seen[node][at - 1][0] != state]
            assert states == list(UPGRADE_STATES), site
            assert {state for state, cordoned in seen[node] if cordoned} >= set(UPGRADE_STATES[3:-2]), site


def _at_rest(site: Site) -> bool:
    return {state for state, _ in site.node_states(STATE)} == {"upgrade-done"}


def _upgraded(site: Site) -> bool | Pending:
    images = {pod["spec"]["containers"][0]["image"] for pod in site.pods("nvidia-driver-daemonset")}
    return (images == {"nvcr.io/nvidia/driver:580.105.08-ubuntu24.04"} and _at_rest(site)) or Pending("new drivers")


def _settled(sites: Mapping[str, Site], reason: str) -> Mapping[str, Mapping[str, object]]:
    """What the operators made and said, once both are ready and nothing has changed for `REST`.

    Both are ready for a moment before labels of GPU feature discovery bring them more to do.
    """
    before: list[Mapping[str, Mapping[str, object]]] = [{}]
    since = [time.monotonic()]

    def at_rest() -> bool:
        now = {name: _picture(site) for name, site in sites.items()}
        if now != before[0]:
            before[0], since[0] = now, time.monotonic()
        ready = all(site.condition("Ready")[:2] == ("True", reason) for site in sites.values())
        return ready and time.monotonic() - since[0] >= REST

    sites["real"].until(at_rest, "rest")
    return before[0]


def _picture(site: Site) -> Mapping[str, object]:
    """What there is to compare, by a line that names it."""
    found: dict[str, object] = {}
    for node in site.client.list("v1", "Node", labels="nvidia.com/gpu.present=true"):
        for what in ("label", "annotation"):
            entries = node["metadata"].get(f"{what}s") or {}
            ours = {key: value for key, value in entries.items() if key.startswith("nvidia.com/gpu")}
            found |= {f"node {node['metadata']['name']} {what} {key}": value for key, value in ours.items()}
    for ref in (POLICY, *_drivers(site)):
        found |= dict(_of_status(ref.kind, (site.client.get(ref) or {}).get("status", {})))
    for kind in ALL_KINDS:
        for obj in site.client.list(BUILT_IN[kind], kind):
            if _owned(obj):
                found[f"{kind.lower()} {_name(obj)}"] = True
    for daemonset in site.client.list("apps/v1", "DaemonSet", NAMESPACE):
        if _owned(daemonset):
            found |= dict(_of_daemonset(daemonset))
    return found


def _of_status(kind: str, status: Object) -> Iterator[tuple[str, object]]:
    yield f"state {kind}", status.get("state")
    for each in status.get("conditions") or ():
        yield f"condition {kind} {each['type']}", (each["status"], each["reason"])
        yield f"condition {kind} {each['type']} message", each["message"]


def _drivers(site: Site) -> list[ObjectRef]:
    return [ObjectRef.of(driver) for driver in site.client.list("nvidia.com/v1alpha1", "NVIDIADriver")]


def _owned(obj: Object) -> bool:
    owners = obj["metadata"].get("ownerReferences") or ()
    return any(owner["kind"] in ("ClusterPolicy", "NVIDIADriver") for owner in owners)


def _name(obj: Object) -> str:
    """Its name, with the digest of an NVIDIADriver's uid left out."""
    return re.sub(r"(nvidia-gpu-driver-ubuntu24\.04)-\w+$", r"\1-digest", obj["metadata"]["name"])


def _of_daemonset(daemonset: Object) -> Iterator[tuple[str, object]]:
    head, template = f"daemonset {_name(daemonset)}", daemonset["spec"]["template"]
    pod = template["spec"]
    for what, metadata in (("", daemonset["metadata"]), ("template ", template["metadata"])):
        for key, value in (metadata.get("labels") or {}).items():
            yield f"{head} {what}label {key}", _name({"metadata": {"name": value}})
        for key, value in (metadata.get("annotations") or {}).items():
            if not key.startswith("deprecated."):
                yield f"{head} {what}annotation {key}", value
    selector = daemonset["spec"]["selector"]["matchLabels"]
    yield f"{head} selector", {key: _name({"metadata": {"name": value}}) for key, value in selector.items()}
    yield f"{head} nodeSelector", {key: value for key, value in pod["nodeSelector"].items() if key != DRIVER_OWNER}
    yield f"{head} strategy", daemonset["spec"]["updateStrategy"]["type"]
    for key in (
        "tolerations",
        "priorityClassName",
        "serviceAccountName",
        "runtimeClassName",
        "hostPID",
    ):
        yield f"{head} {key}", pod.get(key)
    for key in ("initContainers", "containers"):
        yield f"{head} {key}", [container["name"] for container in pod.get(key) or ()]
