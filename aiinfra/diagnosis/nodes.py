"""Why nodes do not carry the labels, or offer the devices, that they should. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.diagnosis import workloads
from aiinfra.diagnosis.cause import Cause
from aiinfra.diagnosis.scene import Scene, condition, labels, name
from aiinfra.kube.objects import Object
from aiinfra.kube.wants import allocatable

NFD = {"app.kubernetes.io/name": "node-feature-discovery"}
"""Label of NFD's workloads (kubernetes-sigs/node-feature-discovery deployment/helm)."""
FEATURES = "feature.node.kubernetes.io/"
UNSCHEDULED = frozenset({"NoSchedule", "NoExecute"})
OWN_TAINTS = ("node.kubernetes.io/",)
"""Taints that the node lifecycle controller sets; DaemonSet pods tolerate them."""


def unlabelled(scene: Scene) -> list[Cause]:
    """Why nodes lack the labels of Node Feature Discovery."""
    parts = [obj for kind in ("Deployment", "DaemonSet") for obj in scene.all(kind) if _nfd(obj)]
    workers = [obj for obj in parts if obj["kind"] == "DaemonSet" and "worker" in name(obj)]
    if not workers and "DaemonSet" in scene.unasked:
        return []
    if not workers:
        hint = "add a stack of kind nfd, or set nfd to bundled"
        return [Cause("no worker of Node Feature Discovery is in the cluster, so nothing labels its nodes", hint)]
    broken = [cause for part in parts for cause in workloads.why(scene, part)]
    return [*broken, *(cause for worker in workers for cause in _kept_off(scene, worker))] or [_no_gpu(scene)]


def not_ready(scene: Scene) -> Iterator[Cause]:
    for node in scene.all("Node"):
        ready = condition(node, "Ready")
        if ready and ready.get("status") != "True":
            why = str(ready.get("message") or ready.get("reason") or "no reason given")
            yield Cause(f"node {name(node)} is not ready: {why}", "look at its kubelet")


def offers(scene: Scene, resource: str) -> str:
    """`gpu-0 offers 8, gpu-1 none`, of nodes that have GPUs."""
    gpu_nodes = [node for node in scene.all("Node") if labels(node).get("nvidia.com/gpu.present") == "true"]
    shown = [f"{name(node)} offers {allocatable(node, resource) or 'none'}" for node in gpu_nodes]
    return ", ".join(shown[:8]) or "no node is known to have a GPU"


def _nfd(obj: Object) -> bool:
    return NFD.items() <= labels(obj).items()


def _kept_off(scene: Scene, worker: Object) -> Iterator[Cause]:
    """Nodes where no pod of the worker is, for a taint that it does not tolerate."""
    present = {pod["spec"].get("nodeName") for pod in workloads.pods_of(scene, worker)}
    tolerations = worker["spec"]["template"]["spec"].get("tolerations") or ()
    for node in scene.all("Node"):
        for taint in node.get("spec", {}).get("taints") or ():
            if name(node) not in present and _repels(taint, tolerations):
                text = taint["key"] + (f"={taint['value']}" if taint.get("value") else "") + f":{taint['effect']}"
                hint = f"add a toleration for {taint['key']} to the stack that installs NFD"
                yield Cause(f"{name(worker)} may not run on {name(node)}, which has the taint {text}", hint)


def _repels(taint: Mapping[str, Any], tolerations: Sequence[Mapping[str, Any]]) -> bool:
    if taint["effect"] not in UNSCHEDULED or taint["key"].startswith(OWN_TAINTS):
        return False
    return not any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    key, effect = toleration.get("key"), toleration.get("effect")
    same_key = (key == taint["key"]) if key else toleration.get("operator") == "Exists"
    same_value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
    return same_key and same_value and effect in (None, "", taint["effect"])


def _no_gpu(scene: Scene) -> Cause:
    labelled = [node for node in scene.all("Node") if any(key.startswith(FEATURES) for key in labels(node))]
    if not labelled:
        says = "Node Feature Discovery runs and has labelled no node"
        return Cause(says, "look at the log of its master and workers")
    return Cause(
        f"Node Feature Discovery found no NVIDIA device (PCI vendor 10de) on {len(labelled)} nodes",
        "see that the GPUs are in the machines, and that the classes and label fields of NFD cover them",
    )
