"""The vCenter of a rehearsal: what the file leaves out is assumed from what the stacks ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

from aiinfra.domains.vsphere.lab.block import (
    LabCards,
    LabDatacenter,
    LabDatastore,
    LabDeviceGroup,
    LabEsxCluster,
    LabEsxHosts,
    LabVCenter,
    LabVm,
)
from aiinfra.domains.vsphere.needs import VCenterNeed
from aiinfra.errors import ConfigError
from aiinfra.lab.domains import hardware_needs
from aiinfra.model.own_gpu import OwnGpu

if TYPE_CHECKING:
    from aiinfra.engine.wire import Tree
    from aiinfra.plan.planner import Plan

_Sort = tuple[str, str | OwnGpu, str, str]
"""Mode, model, label and device group of hosts that are alike."""
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
        _refuse_what_is_elsewhere(need)
    # What is set and nothing else, as sizes are read in words and kept in numbers.
    return cast("Tree", _vcenter(needs).model_dump(mode="json", exclude_unset=True)), list(_sentences(needs))


def _refuse_what_is_elsewhere(need: VCenterNeed) -> None:
    places = {
        "cluster": need.cluster,
        "datastore": need.datastore,
        "folder": need.folder,
        "resource pool": need.pool,
        "source": need.source,
    }
    for what, path in places.items():
        if path.startswith("/"):
            message = f"the {what} {path} lies outside datacenter {need.datacenter}, and a rehearsal assumes it inside"
            hint = f"describe lab.vcenter in the file, or write a path below /{need.datacenter}"
            raise ConfigError(message, code="lab.not_simulated", where="vcenter", hint=hint)


def _vcenter(needs: Sequence[VCenterNeed]) -> LabVCenter:
    names = dict.fromkeys(need.datacenter for need in needs)
    return LabVCenter(datacenters={name: _datacenter([n for n in needs if n.datacenter == name]) for name in names})


def _datacenter(needs: Sequence[VCenterNeed]) -> LabDatacenter:
    clusters = dict.fromkeys(need.cluster for need in needs)
    return LabDatacenter(
        folders=tuple(dict.fromkeys(need.folder for need in needs if need.folder)),
        datastores={need.datastore: LabDatastore() for need in needs},
        clusters={
            path: _esx_cluster(_prefix(path, clusters), [need for need in needs if need.cluster == path])
            for path in clusters
        },
        vms={need.source: LabVm(template=True) for need in needs if need.source},
    )


def _prefix(path: str, clusters: Iterable[str]) -> str:
    """Return what the names of a cluster's hosts begin with: its name, or its path when another has that name."""
    name = path.rpartition("/")[2]
    alone = [each.rpartition("/")[2] for each in clusters].count(name) == 1
    return (name if alone else path.replace("/", "-"))[:PREFIX]


def _esx_cluster(prefix: str, needs: Sequence[VCenterNeed]) -> LabEsxCluster:
    sorts: dict[_Sort, int] = {}
    for need in needs:
        if not need.host:
            sort = (need.mode, need.gpu_model, need.label, need.group)
            sorts[sort] = max(sorts.get(sort, 0), need.gpus, 2)
    alike = {f"{prefix}-{sort[0]}-{at}": _hosts(sort, gpus, needs) for at, (sort, gpus) in enumerate(sorts.items(), 1)}
    named = {host: _named_host(host, needs) for host in dict.fromkeys(need.host for need in needs if need.host)}
    pools = tuple(dict.fromkeys(need.pool for need in needs if need.pool))
    return LabEsxCluster(pools=pools, hosts={**alike, **named})


def _hosts(sort: _Sort, gpus: int, needs: Sequence[VCenterNeed]) -> LabEsxHosts:
    mode, model, label, group = sort
    serves = "passthrough" if mode == "passthrough" else "vgpu"
    cards = LabCards(model=model, count=gpus, mode=serves, label=label, mig=mode == "mig")
    given = next((need for need in needs if group and need.group == group), None)
    groups = (LabDeviceGroup(name=group, profiles=(given.profile,) * given.gpus),) if given else ()
    return LabEsxHosts(count=HOSTS, cards=(cards,), groups=groups)


def _named_host(name: str, needs: Sequence[VCenterNeed]) -> LabEsxHosts:
    """Return a host with every card that a stack names on it."""
    mine = [need for need in needs if need.host == name]
    slots = tuple(dict.fromkeys(slot for need in mine for slot in need.pci_ids))
    return LabEsxHosts(names=(name,), cards=(LabCards(model=mine[0].gpu_model, pci_ids=slots, mode="passthrough"),))


def _name(need: VCenterNeed) -> str:
    return need.gpu_model if isinstance(need.gpu_model, str) else need.gpu_model.name


def _sentences(needs: Sequence[VCenterNeed]) -> Iterator[str]:
    for need in dict.fromkeys(needs):
        where = f"vCenter, cluster {need.datacenter}/{need.cluster}"
        if need.host:
            yield f"{where}: host {need.host} with {_name(need)} at {', '.join(need.pci_ids)} ({need.mode})"
            continue
        label = f" labelled {need.label}" if need.label else ""
        given = f", given as the device group {need.group}" if need.group else ""
        pool = f", and resource pool {need.pool}" if need.pool else ""
        cards = f"{max(need.gpus, 2)} x {_name(need)}{label} ({need.mode})"
        yield f"{where}: {HOSTS} hosts with {cards}{given}{pool}"
