"""The clusters of a rehearsal: what the file leaves out is assumed from what the stacks ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aiinfra.domains.kubernetes.lab.block import MOST_GPUS, MOST_NODES, LabCluster, NodeGroup
from aiinfra.domains.kubernetes.needs import ClusterNeed, NodePool
from aiinfra.errors import ConfigError
from aiinfra.lab.domains import hardware_needs
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.engine.wire import Tree
    from aiinfra.plan.planner import Plan

DEFAULT_GPU: Final = "A100-SXM4-40GB"


def assumed_clusters(
    plan: Plan, names: Sequence[StackName], described: Mapping[str, Any] | None
) -> tuple[Tree, Sequence[str]]:
    """Return the value of `lab.clusters` with every cluster of `names`, and a sentence for each that is assumed.

    Raises `ConfigError` when a lab cannot have what the stacks ask for.
    """
    needs = [need for need in hardware_needs(plan) if isinstance(need, ClusterNeed)]
    clusters, sentences = dict(described or {}), list[str]()
    for name in names:
        if name in clusters:
            continue
        cluster = _cluster(name, needs)
        gpu = cluster.nodes["gpu"]
        sentences.append(f"cluster {name}: {gpu.count} nodes with {gpu.gpus} x {gpu.gpu} each, and 1 without a GPU")
        clusters[name] = cluster.model_dump(mode="json")
    return (clusters if clusters or described is not None else None), sentences


def node_pools(described: Mapping[str, Any]) -> Iterator[NodePool]:
    """Yield the node groups of a checked `lab.clusters`."""
    for name, tree in described.items():
        for group, nodes in LabCluster.model_validate(tree or {}).nodes.items():
            if nodes.count:
                gpu = nodes.model if nodes.gpus else None
                yield NodePool(name, group, gpu, nodes.os, nodes.kernel, nodes.host_driver, nodes.vgpu)


def _cluster(name: StackName, needs: Sequence[ClusterNeed]) -> LabCluster:
    mine = [need for need in needs if need.cluster in (name, None)]
    count = max([need.gpu_nodes for need in mine], default=2) or 2
    gpus = max([need.gpus_per_node for need in mine], default=8) or 8
    _refuse_more(name, count, MOST_NODES, f"{count} nodes with GPUs", "expect fewer nodes")
    whole = "count whole GPUs in expect.gpus: no GPU of a rehearsal is cut into MIG slices"
    _refuse_more(name, gpus, MOST_GPUS, f"{gpus} GPUs in each node", whole)
    group = NodeGroup(
        count=count, gpus=gpus, gpu=next((need.gpu_model for need in mine if need.gpu_model), DEFAULT_GPU)
    )
    return LabCluster(nodes={"cpu": NodeGroup(count=1), "gpu": group})


def _refuse_more(name: StackName, number: int, most: int, asked: str, hint: str) -> None:
    if number > most:
        message = f"the stacks ask the cluster {name} for {asked}, a lab has at most {most}"
        raise ConfigError(message, code="lab.not_simulated", where=f"stacks.{name}", hint=hint)
