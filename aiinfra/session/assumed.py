"""The simulated world of a rehearsal: what the file leaves out is assumed from what the stacks ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aiinfra.domains.kubernetes.needs import ClusterNeed
from aiinfra.domains.vsphere.lab.block import (
    LabCards,
    LabDatacenter,
    LabDatastore,
    LabEsxCluster,
    LabEsxHosts,
    LabVCenter,
    LabVm,
)
from aiinfra.domains.vsphere.needs import VCenterNeed
from aiinfra.model.lab import LabCluster, LabSpec, NodeGroup
from aiinfra.plan.planner import Plan
from aiinfra.stack import LabNeeds, StackName, Surroundings

DEFAULT_GPU: Final = "A100-SXM4-40GB"
HOSTS: Final = 2
"""Of each sort: one may be in maintenance, as people expect of a cluster."""


def assumed_lab(planned: Plan) -> tuple[LabSpec, list[str]]:
    """The lab's description with what the file leaves out, and a sentence for each assumption."""
    described = LabSpec.of(planned.environment)
    clusters, assumed = dict(described.clusters), list[str]()
    needs = list(_needs(planned))
    for name, step in planned.steps.items():
        if step.kind.kind != "existing_cluster" or name in clusters:
            continue
        clusters[name] = _cluster(name, [need for need in needs if isinstance(need, ClusterNeed)])
        gpu = clusters[name].nodes["gpu"]
        assumed.append(f"cluster {name}: {gpu.count} nodes with {gpu.gpus} x {gpu.gpu} each, and 1 without a GPU")
    changes: dict[str, object] = {"clusters": clusters}
    wanted = [need for need in needs if isinstance(need, VCenterNeed)]
    if wanted and described.vcenter is None:
        changes["vcenter"] = _vcenter(wanted)
        assumed += _told(wanted)
    return described.model_copy(update=changes), assumed


def _needs(planned: Plan) -> Iterator[ClusterNeed | VCenterNeed]:
    stacks = {name: (step.kind.kind, step.inputs) for name, step in planned.steps.items()}
    around = Surroundings(planned.environment.name, "lab", stacks)
    for step in planned.steps.values():
        if isinstance(step.kind.checks, LabNeeds):
            yield from step.kind.checks.lab_needs(step.inputs, around)


def _cluster(name: StackName, needs: Sequence[ClusterNeed]) -> LabCluster:
    mine = [need for need in needs if need.cluster in (name, None)]
    group = NodeGroup(
        count=max([need.gpu_nodes for need in mine], default=2) or 2,
        gpus=max([need.gpus_per_node for need in mine], default=8) or 8,
        gpu=next((need.gpu_model for need in mine if need.gpu_model), DEFAULT_GPU),
    )
    return LabCluster(nodes={"cpu": NodeGroup(count=1), "gpu": group})


def _vcenter(needs: Sequence[VCenterNeed]) -> LabVCenter:
    names = dict.fromkeys(need.datacenter for need in needs)
    return LabVCenter(datacenters={name: _datacenter([n for n in needs if n.datacenter == name]) for name in names})


def _datacenter(needs: Sequence[VCenterNeed]) -> LabDatacenter:
    sources = dict.fromkeys(need.source for need in needs if need.source)
    folders = dict.fromkeys(
        folder for folder in (*(n.folder for n in needs), *(path.rpartition("/")[0] for path in sources)) if folder
    )
    return LabDatacenter(
        folders=tuple(folders),
        datastores={need.datastore: LabDatastore() for need in needs},
        clusters={
            name: _esx_cluster(name, [need for need in needs if need.cluster == name])
            for name in dict.fromkeys(need.cluster for need in needs)
        },
        vms={path.rpartition("/")[2]: LabVm(folder=path.rpartition("/")[0], template=True) for path in sources},
    )


def _esx_cluster(name: str, needs: Sequence[VCenterNeed]) -> LabEsxCluster:
    sorts: dict[tuple[str, str, str], int] = {}
    for need in needs:
        sort = (need.mode, need.gpu_model, need.label)
        sorts[sort] = max(sorts.get(sort, 0), need.gpus, 2)
    return LabEsxCluster(
        hosts={f"{name}-{need[0]}-{at}": _hosts(need, gpus) for at, (need, gpus) in enumerate(sorts.items(), start=1)}
    )


def _hosts(sort: tuple[str, str, str], gpus: int) -> LabEsxHosts:
    mode, model, label = sort
    serves = "passthrough" if mode == "passthrough" else "vgpu"
    cards = LabCards(model=model, count=gpus, mode=serves, label=label, mig=mode == "mig")
    return LabEsxHosts(count=HOSTS, cards=(cards,))


def _told(needs: Sequence[VCenterNeed]) -> Iterator[str]:
    for need in dict.fromkeys(needs):
        where = f"{need.datacenter}/{need.cluster}"
        label = f" labelled {need.label}" if need.label else ""
        cards = f"{max(need.gpus, 2)} x {need.gpu_model}{label} ({need.mode})"
        yield f"vCenter, cluster {where}: {HOSTS} hosts with {cards}"
