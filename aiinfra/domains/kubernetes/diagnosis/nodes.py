"""Why nodes do not carry the labels, or offer the devices, that they should. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis import workloads
from aiinfra.domains.kubernetes.diagnosis.cause import Cause
from aiinfra.domains.kubernetes.diagnosis.placing import kept_off
from aiinfra.domains.kubernetes.diagnosis.readings import clean
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, condition, labels, name
from aiinfra.domains.kubernetes.objects.gpu_nodes import GpuUnitsWant
from aiinfra.domains.kubernetes.objects.wants import allocatable

NFD = {"app.kubernetes.io/name": "node-feature-discovery"}
"""Label of NFD's workloads (kubernetes-sigs/node-feature-discovery deployment/helm)."""
GPU_PRESENT = "nvidia.com/gpu.present"
FEATURES = "feature.node.kubernetes.io/"


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
    return [*broken, *(cause for worker in workers for cause in kept_off(scene, worker))] or [_no_gpu(scene)]


def not_ready(scene: Scene, hosts: Collection[str]) -> Iterator[Cause]:
    """Nodes with GPUs, and these `hosts`, that are not ready."""
    for node in scene.all("Node"):
        ready = condition(node, "Ready")
        concerned = labels(node).get(GPU_PRESENT) == "true" or name(node) in hosts
        if concerned and ready and ready.get("status") != "True":
            why = str(ready.get("message") or ready.get("reason") or "no reason given")
            yield Cause(f"node {name(node)} is not ready: {clean(why)}", "look at its kubelet")


def offers(scene: Scene, resource: str) -> str:
    """`gpu-0 offers 8, gpu-1 none`, of nodes that have GPUs."""
    gpu_nodes = [node for node in scene.all("Node") if labels(node).get(GPU_PRESENT) == "true"]
    shown = [f"{name(node)} offers {allocatable(node, resource) or 'none'}" for node in gpu_nodes]
    return ", ".join(shown[:8]) or "no node is known to have a GPU"


def lacking(scene: Scene, want: GpuUnitsWant) -> list[Cause]:
    """What the nodes that offer no unit offer instead, else how much each offers."""
    shown = want.lacking(list(scene.all("Node")))
    hint = "see why their device plugin offers it not, or expect what the nodes offer"
    return [Cause(", ".join(shown[:8]), hint)] if shown else []


def _nfd(obj: Object) -> bool:
    return NFD.items() <= labels(obj).items()


def _no_gpu(scene: Scene) -> Cause:
    labelled = [node for node in scene.all("Node") if any(key.startswith(FEATURES) for key in labels(node))]
    if not labelled:
        says = "Node Feature Discovery runs and has labelled no node"
        return Cause(says, "look at the log of its master and workers")
    return Cause(
        f"Node Feature Discovery found no NVIDIA device (PCI vendor 10de) on {len(labelled)} nodes",
        "see that the GPUs are in the machines, and that the classes and label fields of NFD cover them",
    )
