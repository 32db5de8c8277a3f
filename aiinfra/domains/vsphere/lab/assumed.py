"""The vCenter of a rehearsal: what the file leaves out is assumed from what the stacks ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

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
from aiinfra.errors import ConfigError
from aiinfra.lab.domains import hardware_needs

if TYPE_CHECKING:
    from aiinfra.engine.wire import Tree
    from aiinfra.plan.planner import Plan

PREFIX: Final = 50
"""Characters of a cluster's name in those of its hosts, which vCenter limits to 80."""
HOSTS: Final = 2
"""Hosts of each sort: one may be in maintenance, as people expect of a cluster."""


def assumed_vcenter(plan: Plan) -> tuple[Tree, Sequence[str]]:
    """Return the value of `lab.vcenter`, and a sentence for each sort of hosts; None without any need.

    Raises `ConfigError` for places that the lab's vCenter cannot have.
    """
    needs = [need for need in hardware_needs(plan) if isinstance(need, VCenterNeed)]
    if not needs:
        return None, ()
    for need in needs:
        _refuse_paths(need)
    # What is set and nothing else, as sizes are read in words and kept in numbers.
    return cast("Tree", _vcenter(needs).model_dump(mode="json", exclude_unset=True)), list(_sentences(needs))


def _refuse_paths(need: VCenterNeed) -> None:
    """The lab's vCenter has folders of VMs, and none of clusters, datastores or datacenters."""
    flat = {"datacenter": need.datacenter, "cluster": need.cluster, "datastore": need.datastore}
    for what, name in flat.items():
        if "/" in name:
            message = f"the {what} {name} lies in a folder, and the lab's vCenter has no folders of {what}s"
            raise ConfigError(
                message, code="lab.not_simulated", where="vcenter", hint=f"rehearse with a plain {what} name"
            )
    for what, path in {"folder": need.folder, "source": need.source}.items():
        if path.startswith("/"):
            message = f"the {what} {path} is a whole inventory path, and the lab's vCenter knows paths below vm only"
            hint = f"write it as a path below the datacenter's folder vm, such as {path.strip('/').split('/vm/')[-1]}"
            raise ConfigError(message, code="lab.not_simulated", where="vcenter", hint=hint)


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
        hosts={
            f"{name[:PREFIX]}-{need[0]}-{at}": _hosts(need, gpus)
            for at, (need, gpus) in enumerate(sorts.items(), start=1)
        }
    )


def _hosts(sort: tuple[str, str, str], gpus: int) -> LabEsxHosts:
    mode, model, label = sort
    serves = "passthrough" if mode == "passthrough" else "vgpu"
    cards = LabCards(model=model, count=gpus, mode=serves, label=label, mig=mode == "mig")
    return LabEsxHosts(count=HOSTS, cards=(cards,))


def _sentences(needs: Sequence[VCenterNeed]) -> Iterator[str]:
    for need in dict.fromkeys(needs):
        where = f"{need.datacenter}/{need.cluster}"
        label = f" labelled {need.label}" if need.label else ""
        cards = f"{max(need.gpus, 2)} x {need.gpu_model}{label} ({need.mode})"
        yield f"vCenter, cluster {where}: {HOSTS} hosts with {cards}"
