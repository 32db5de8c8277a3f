"""All hosts of some clusters: their properties and VMs at once, then two requests to each, many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.parallel import Questions
from aiinfra.domains.vsphere.client.properties import Query, Row, Traversal, collect, retrieve
from aiinfra.domains.vsphere.client.pruning import gpus_only, nvidias_packages, offers_only, pruning
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.reading import host_properties
from aiinfra.domains.vsphere.reading.gpu_holders import (
    DEVICES,
    HOLDER_PATHS,
    VM_PATHS,
    VMS,
    HostVms,
    powered_on,
    with_gpus,
)
from aiinfra.domains.vsphere.reading.host_properties import HOST_PATHS, OFFERS, HostAnswers
from aiinfra.domains.vsphere.reading.inventory import Entity
from aiinfra.domains.vsphere.reading.observed import Host
from aiinfra.domains.vsphere.reading.vcenter_wide import Fact, fact_or_reason

NO_GPU: Final = "not asked, as the host has no NVIDIA GPU"
BROWSER: Final = "environmentBrowser"
MEMBERS: Final = "host"
"""Properties of a cluster that are needed here."""
_DOWN: Final = (Traversal("host", "ComputeResource", "host", ("vm",)), Traversal("vm", "HostSystem", "vm"))


@dataclass(slots=True)
class HostsReading:
    """The answers that are known, and those on their way."""

    clusters: Mapping[str, Entity]
    """The cluster of each host, by the host's moref."""
    rows: Sequence[Row]
    """Rows of the hosts, by name."""
    vms: Mapping[str, Sequence[Row]]
    """Rows of the VMs of each host, by its moref."""
    asked: Sequence[Future[HostAnswers]]
    holders: Future[Mapping[str, Row]]

    def hosts(self, cluster: str, licences: Fact[Mapping[str, str]]) -> list[Host]:
        """Return the hosts of one cluster, once everything is answered."""
        return [
            self._host(row, asked.result(), licences)
            for row, asked in zip(self.rows, self.asked, strict=True)
            if self.clusters[row.moref].moref == cluster
        ]

    def _host(self, row: Row, asked: HostAnswers, licences: Fact[Mapping[str, str]]) -> Host:
        held = HostVms(self.vms.get(row.moref, ()), self.holders.result())
        edition = (licences.value or {}).get(row.moref)
        why = {} if edition else {"license_edition": licences.why or "no licence is assigned to it"}
        asked = replace(asked, edition=edition, unread={**asked.unread, **why})
        return host_properties.host(row, self.clusters[row.moref].path, asked, held)


def read_hosts(vcenter: VCenter, asking: Questions, clusters: Mapping[str, Entity]) -> HostsReading:
    paths = {"HostSystem": HOST_PATHS, "VirtualMachine": VM_PATHS}
    with pruning(gpus_only):
        rows = retrieve(vcenter, [Query([each.object for each in clusters.values()], paths, _DOWN)])
    of = {host._moId: each for each in clusters.values() for host in each.row.get(MEMBERS, ())}
    hosts = sorted((row for row in rows if row.moref in of), key=lambda row: str(row.get("name")))
    on = {row.moref: row for row in rows if row.kind == "VirtualMachine" and powered_on(row)}
    vms = {row.moref: [on[vm._moId] for vm in row.get(VMS, ()) if vm._moId in on] for row in hosts}
    vcenter.paths.update({row.moref: f"{of[row.moref].path}/{row.get('name')}" for row in hosts})
    asked = asking.each(lambda row: _asked(row, of[row.moref].row.get(BROWSER)), hosts)
    return HostsReading(of, hosts, vms, asked, asking.ask(lambda: _holders(vcenter, hosts, vms)))


def _asked(row: Row, browser: Any) -> HostAnswers:
    if not host_properties.connected(row):
        return HostAnswers(unread=dict.fromkeys((*OFFERS, "vibs"), host_properties.away(row)))
    if not host_properties.has_gpus(row):
        return HostAnswers(offers_nothing=True, unread={"vibs": NO_GPU})
    target, packages = fact_or_reason(lambda: _target(row, browser)), fact_or_reason(lambda: _packages(row))
    unread = {**dict.fromkeys(OFFERS, target.why), "vibs": packages.why}
    return HostAnswers(target.value, packages.value, {name: why for name, why in unread.items() if why})


def _target(row: Row, browser: Any) -> Any:
    with pruning(offers_only):
        return browser.QueryConfigTarget(row.object)


def _packages(row: Row) -> Sequence[Any]:
    with pruning(nvidias_packages):
        return list(row.get("configManager.imageConfigManager").FetchSoftwarePackages())


def _holders(vcenter: VCenter, hosts: Sequence[Row], vms: Mapping[str, Sequence[Row]]) -> Mapping[str, Row]:
    """Return the VMs that may hold GPUs and can be read, by moref."""
    found = [vm.object for host in hosts for vm in with_gpus(host, vms.get(host.moref, ()))]
    with pruning(gpus_only):
        rows = collect(vcenter, "VirtualMachine", HOLDER_PATHS, found)
    return {row.moref: row for row in rows if DEVICES in row.values}
