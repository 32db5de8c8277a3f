"""All checks over one failure domain, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from aiinfra.stack import Finding
from aiinfra.vsphere.checks import cards, cluster, driver, graphics, hosts, placement
from aiinfra.vsphere.checks.findings import error, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.fixes import HostChange, changes
from aiinfra.vsphere.mig import steps
from aiinfra.vsphere.readings import Host, Site

HostCheck = Callable[[Host, WantedVm], Iterator[Finding]]
SiteCheck = Callable[[Site, WantedVm], Iterator[Finding]]

SITE_CHECKS: Final[Sequence[SiteCheck]] = (
    placement.account,
    placement.folder,
    placement.datastore,
    placement.source,
    cluster.drs,
    cluster.evacuation,
    placement.profile,
    placement.capacity,
)
HOST_CHECKS: Final[Sequence[HostCheck]] = (
    hosts.version,
    hosts.licence,
    hosts.names_and_time,
    graphics.graphics_type,
    graphics.sriov,
    driver.driver,
    driver.model_support,
    cards.passthrough,
    cards.labels,
    cards.mig,
    cards.mixed_sizes,
    cards.ecc,
)


def judge(site: Site, wanted: WantedVm) -> list[Finding]:
    """Every finding of one failure domain, `ok` ones included. A host that is away is asked nothing more."""
    found = [_of_host(finding, site) for check in SITE_CHECKS for finding in check(site, wanted)]
    chosen = [host for host in site.cluster.hosts if wanted.host in ("", host.name)]
    if not chosen:
        name = f"host {wanted.host}" if wanted.host else "hosts"
        found.append(
            error("vsphere.present", f"cluster {site.cluster.name}", f"has no {name}", "a host", "name another")
        )
    return found + _of_hosts(chosen, wanted) + _no_cards(site, wanted)


def _of_hosts(chosen: Sequence[Host], wanted: WantedVm) -> list[Finding]:
    """What keeps one host from serving is a warning as long as another one serves."""
    by_host = {host.name: _of(host, wanted) for host in chosen}
    having = [host.name for host in chosen if wanted.mode == "device_group" or cards.concerned(host, wanted)]
    serving = [name for name in having if not any(finding.level == "error" for finding in by_host[name])]
    found = [finding for findings in by_host.values() for finding in findings]
    if not serving:
        return found
    return [replace(finding, level="warning") if finding.level == "error" else finding for finding in found]


def _of(host: Host, wanted: WantedVm) -> list[Finding]:
    checks = (hosts.present, *(HOST_CHECKS if host.connected else ()))
    found = [replace(finding, host=host.name) for check in checks for finding in check(host, wanted)]
    return [_with_commands(finding, host, wanted) for finding in found] + _changes(host, wanted)


def _with_commands(finding: Finding, host: Host, wanted: WantedVm) -> Finding:
    """What nobody but a person can do in the host's shell is said to the letter."""
    if finding.code != "vsphere.mig" or finding.level == "ok":
        return finding
    return replace(finding, hint="\n".join(line for one in steps([host], wanted) for line in one.lines()))


def _changes(host: Host, wanted: WantedVm) -> list[Finding]:
    """A dry run of what `manage_hosts` lets aiinfra change."""
    planned = changes([host], wanted) if wanted.manage_hosts else []
    return [_change(host, change) for change in planned]


def _change(host: Host, change: HostChange) -> Finding:
    read = f"`up` will set {str(change).removeprefix(f'{host.name}').lstrip(': ')}"
    told = warning("vsphere.host_change", host.name, read, "your consent", "set manage_hosts: false to do it by hand")
    return replace(told, host=host.name)


def _of_host(finding: Finding, site: Site) -> Finding:
    """Some checks of the whole say something of each host too."""
    names = {host.name for host in site.cluster.hosts}
    return replace(finding, host=finding.about) if finding.about in names else finding


def _no_cards(site: Site, wanted: WantedVm) -> list[Finding]:
    """Hosts without a fitting card are no error by themselves; a cluster without any is."""
    named = wanted.profile is not None and wanted.profile.gpu is None
    if named or wanted.mode == "device_group" or any(cards.concerned(host, wanted) for host in site.cluster.hosts):
        return []
    present = sorted({card.name for host in site.cluster.hosts for card in host.cards})
    read = f"no such card; its hosts have {', '.join(present) or 'no NVIDIA cards'}"
    return [
        error("vsphere.cards", f"cluster {site.cluster.name}", read, _model(wanted), "name a GPU that the hosts have")
    ]


def _model(wanted: WantedVm) -> str:
    gpu = wanted.gpu or (wanted.profile.gpu if wanted.profile else None)
    return gpu.name if gpu else "a card that serves the profile" if wanted.profile else "the cards that are named"
