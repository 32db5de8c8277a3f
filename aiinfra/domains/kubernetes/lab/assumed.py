"""The clusters of a rehearsal: what the file leaves out is assumed from what the stacks ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aiinfra.domains.kubernetes.lab.block import MOST_GPUS, MOST_NODES, LabCluster, NodeGroup, Taint
from aiinfra.domains.kubernetes.needs import ClusterNeed, NodePool
from aiinfra.errors import ConfigError
from aiinfra.facts.mig import a_model_with
from aiinfra.lab.domains import hardware_needs
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.engine.wire import Tree
    from aiinfra.plan.planner import Plan

MIG_CONFIG: Final = "nvidia.com/mig.config"
"""Label by which a node asks the MIG manager for slices."""
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
        sentences.append(f"cluster {name}: {_sentence(cluster.nodes['gpu'])}, and 1 without a GPU")
        clusters[name] = cluster.model_dump(mode="json")
    return (clusters if clusters or described is not None else None), sentences


def node_pools(described: Mapping[str, Any]) -> Iterator[NodePool]:
    """Yield the node groups of a checked `lab.clusters`."""
    for name, tree in described.items():
        for group, nodes in LabCluster.model_validate(tree or {}).nodes.items():
            if nodes.count:
                gpu = nodes.model if nodes.gpus else None
                yield NodePool(StackName(name), group, gpu, nodes.os, nodes.kernel, nodes.host_driver, nodes.vgpu)


def _cluster(name: StackName, needs: Sequence[ClusterNeed]) -> LabCluster:
    mine = [need for need in needs if need.cluster in (name, None)]
    count = max([need.gpu_nodes for need in mine], default=2) or 2
    gpus = max([need.gpus_per_node for need in mine], default=8) or 8
    _refuse_more(name, count, MOST_NODES, f"{count} nodes with GPUs", "expect fewer nodes")
    whole = "count whole GPUs in expect.gpus, or name MIG slices by expect.resource"
    _refuse_more(name, gpus, MOST_GPUS, f"{gpus} GPUs in each node", whole)
    named = list(dict.fromkeys(need.slices for need in mine if need.slices))
    if len(named) > 1:
        message = (
            f"the stacks ask the cluster {name} for MIG slices {' and '.join(named)}, and a rehearsal has one kind"
        )
        hint = (
            f"describe lab.clusters.{name} in the file: nodes labelled {MIG_CONFIG}=all-balanced, or a group for each"
        )
        raise ConfigError(message, code="lab.not_simulated", where=f"stacks.{name}", hint=hint)
    profile = named[0] if named else ""
    if profile and a_model_with(profile) is None:
        message = f"the stacks ask the cluster {name} for MIG slices {profile}, and a lab knows no GPU that has them"
        hint = f"describe lab.clusters.{name} in the file, or name a profile such as 1g.5gb"
        raise ConfigError(message, code="lab.not_simulated", where=f"stacks.{name}", hint=hint)
    return LabCluster(nodes={"cpu": NodeGroup(count=1), "gpu": _group(mine, count, gpus, profile)})


def _group(needs: Sequence[ClusterNeed], count: int, gpus: int, profile: str) -> NodeGroup:
    taints = dict.fromkeys(taint for need in needs for taint in need.taints)
    return NodeGroup(
        count=count,
        gpus=gpus,
        gpu=next((need.gpu_model for need in needs if need.gpu_model), DEFAULT_GPU),
        labels={MIG_CONFIG: f"all-{profile}"} if profile else {},
        taints=tuple(Taint(key=taint.key, value=taint.value, effect=taint.effect) for taint in taints),
        host_driver=next((need.host_driver for need in needs if need.host_driver), ""),
    )


def _sentence(group: NodeGroup) -> str:
    cut = f", cut by the label {MIG_CONFIG}={group.labels[MIG_CONFIG]}" if group.labels else ""
    brought = f", whose image brings driver {group.host_driver} and the container toolkit" if group.host_driver else ""
    tainted = f", tainted {', '.join(map(str, group.taints))}" if group.taints else ""
    return f"{group.count} nodes with {group.gpus} x {group.gpu} each{cut}{brought}{tainted}"


def _refuse_more(name: StackName, number: int, most: int, asked: str, hint: str) -> None:
    if number > most:
        message = f"the stacks ask the cluster {name} for {asked}, a lab has at most {most}"
        raise ConfigError(message, code="lab.not_simulated", where=f"stacks.{name}", hint=hint)
