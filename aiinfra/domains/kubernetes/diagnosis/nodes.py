"""Why nodes lack labels or devices, or are not ready. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis import workloads
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.messages import one_line
from aiinfra.domains.kubernetes.diagnosis.scheduling import untolerated_taints
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, condition, labels, name
from aiinfra.domains.kubernetes.objects.gpu_nodes import GpuUnitsWant
from aiinfra.domains.kubernetes.objects.wants import allocatable

NFD = {"app.kubernetes.io/name": "node-feature-discovery"}
"""Label of NFD's workloads (kubernetes-sigs/node-feature-discovery deployment/helm)."""
GPU_PRESENT = "nvidia.com/gpu.present"
FEATURES = "feature.node.kubernetes.io/"
MIG_CONFIG, MIG_STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
MIG_AT_WORK, MIG_FAILED = ("pending", "rebooting"), "failed"
"""Label by which the MIG manager says how far it is, and its values until the slices are there (NVIDIA's documentation
of the GPU Operator, "GPU Operator with MIG")."""


def missing_labels(snapshot: Snapshot) -> list[Cause]:
    """Return why nodes lack the labels of Node Feature Discovery."""
    parts = [obj for kind in ("Deployment", "DaemonSet") for obj in snapshot.all(kind) if _nfd(obj)]
    workers = [obj for obj in parts if obj["kind"] == "DaemonSet" and "worker" in name(obj)]
    if not workers and "DaemonSet" in snapshot.unlisted:
        return []
    if not workers:
        hint = "add a stack of kind nfd, or set nfd to bundled"
        return [Cause("no worker of Node Feature Discovery is in the cluster, so nothing labels its nodes", hint)]
    broken = [cause for part in parts for cause in workloads.causes(snapshot, part)]
    return [*broken, *(cause for worker in workers for cause in untolerated_taints(snapshot, worker))] or [
        _no_gpu(snapshot)
    ]


def unready_nodes(snapshot: Snapshot, hosts: Collection[str]) -> Iterator[Cause]:
    """Yield a cause for each node that is not ready, among those with GPUs and the nodes named in `hosts`."""
    for node in snapshot.all("Node"):
        ready = condition(node, "Ready")
        concerned = labels(node).get(GPU_PRESENT) == "true" or name(node) in hosts
        if concerned and ready and ready.get("status") != "True":
            why = str(ready.get("message") or ready.get("reason") or "no reason given")
            yield Cause(f"node {name(node)} is not ready: {one_line(why)}", "look at its kubelet")


def offered_devices(snapshot: Snapshot, resource: str) -> str:
    """Return what the nodes with GPUs offer of a resource: `gpu-0 offers 8, gpu-1 offers none`."""
    gpu_nodes = [node for node in snapshot.all("Node") if labels(node).get(GPU_PRESENT) == "true"]
    shown = [f"{name(node)} offers {allocatable(node, resource) or 'none'}" for node in gpu_nodes]
    return ", ".join(shown[:8]) or "no node is known to have a GPU"


def missing_devices(snapshot: Snapshot, want: GpuUnitsWant) -> list[Cause]:
    """Return what the nodes that offer no unit offer instead, else how much each offers."""
    shown = want.lacking(list(snapshot.all("Node")))
    if busy := [name(node) for node in snapshot.all("Node") if labels(node).get(MIG_STATE) in MIG_AT_WORK]:
        return [Cause(f"the MIG manager is at work on {', '.join(busy[:8])}", weight=Weight.WAITING)]
    failed = [node for node in snapshot.all("Node") if labels(node).get(MIG_STATE) == MIG_FAILED]
    if shown and failed:
        asked = ", ".join(f"{labels(node).get(MIG_CONFIG)} on {name(node)}" for node in failed[:8])
        hint = f"see its log, and label the node by {MIG_CONFIG} with a configuration that its GPUs have"
        return [Cause(f"the MIG manager could not apply {asked}", hint)]
    hint = "see why their device plugin offers it not, or expect what the nodes offer"
    return [Cause(", ".join(shown[:8]), hint)] if shown else []


def _nfd(obj: Object) -> bool:
    return NFD.items() <= labels(obj).items()


def _no_gpu(snapshot: Snapshot) -> Cause:
    labelled = [node for node in snapshot.all("Node") if any(key.startswith(FEATURES) for key in labels(node))]
    if not labelled:
        message = "Node Feature Discovery runs and has labelled no node"
        return Cause(message, "look at the log of its master and workers")
    return Cause(
        f"Node Feature Discovery found no NVIDIA device (PCI vendor 10de) on {len(labelled)} nodes",
        "see that the GPUs are in the machines, and that the classes and label fields of NFD cover them",
    )
