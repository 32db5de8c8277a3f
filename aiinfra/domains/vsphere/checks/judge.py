"""All checks over one failure domain, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from aiinfra.domains.vsphere.checks import cards, cluster, driver, graphics, hosts, mig, offers, placement
from aiinfra.domains.vsphere.checks.cards import CARDS
from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.checks.wanted import WantedVm
from aiinfra.domains.vsphere.hosts.changes import HostChange, changes
from aiinfra.domains.vsphere.hosts.mig_commands import steps, steps_on
from aiinfra.domains.vsphere.reading.observed import Host, Site
from aiinfra.stack import Finding

HostCheck = Callable[[Host, WantedVm], Iterator[Finding]]
SiteCheck = Callable[[Site, WantedVm], Iterator[Finding]]

SITE_CHECKS: Final[Sequence[SiteCheck]] = (
    placement.account,
    placement.folder,
    placement.datastore,
    placement.source,
    cluster.drs,
    cluster.evacuation,
    offers.pinned,
    offers.profile,
    offers.device_group,
    offers.capacity,
)
HOST_CHECKS: Final[Sequence[HostCheck]] = (
    hosts.reboot,
    hosts.version,
    hosts.licence,
    hosts.names,
    hosts.time,
    graphics.graphics_type,
    graphics.sriov,
    driver.driver,
    driver.model_support,
    cards.known,
    cards.passthrough,
    cards.labels,
    mig.mig,
    cards.mixed_sizes,
    cards.ecc,
)
AFTERWARDS: Final = (
    "vsphere.profile_unknown",
    "vsphere.profile_not_startable",
    "vsphere.gpu_absent",
    "vsphere.mig_off",
    "vsphere.mig",
    "vsphere.capacity",
)
"""Codes of what depends on the state of hosts."""
CHANGE: Final = Topic("vsphere.host_change", f"{API}: HostGraphicsManager, HostPciPassthruSystem")


def judge(site: Site, wanted: WantedVm) -> list[Finding]:
    """Every finding of one failure domain, `ok` ones included. A host that is away is asked nothing more."""
    wanted = _as_cloned(site, wanted)
    found = [_of_host(finding, site) for check in SITE_CHECKS for finding in check(site, wanted)]
    chosen = [host for host in site.cluster.hosts if wanted.host in ("", host.name)]
    if not chosen:
        name = f"host {wanted.host}" if wanted.host else "hosts"
        about = f"cluster {site.cluster.name}"
        found.append(hosts.PRESENT.error(about, f"has no {name}", "a host", "name another"))
    found += [*_of_hosts(chosen, wanted), *_no_cards(site, chosen, wanted)]
    does = _does_first(chosen, wanted)
    return [_foreseen(finding, does) for finding in found] if does else found


def _does_first(hosts: Sequence[Host], wanted: WantedVm) -> str:
    """What `up` does about the hosts before it looks at them again; empty: nothing."""
    if wanted.manage_hosts and changes(hosts, wanted):
        return "`up` sets what manage_hosts allows first, and looks again"
    if wanted.wait_for_mig and steps(hosts, wanted):
        return "`up` waits until somebody has switched MIG mode, and looks again"
    return ""


def _foreseen(finding: Finding, does: str) -> Finding:
    """What may be well once `up` has done that is no error before."""
    if finding.level != "error" or finding.code not in AFTERWARDS:
        return finding
    return replace(finding, level="warning", hint=finding.hint if finding.code == mig.MIG.code else does)


def _as_cloned(site: Site, wanted: WantedVm) -> WantedVm:
    """A source with a newer hardware version keeps it, and its VMs need hosts that know it."""
    newest = max(wanted.hardware_version, (site.source and site.source.hardware_version) or 0)
    return replace(wanted, hardware_version=newest)


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
    return _with_commands(found, host, wanted) + _changes(host, wanted)


def _with_commands(found: list[Finding], host: Host, wanted: WantedVm) -> list[Finding]:
    """What nobody but a person can do in the host's shell is said to the letter, with the first card that needs it."""
    needing = [one for one in found if one.code == mig.MIG.code and one.level in ("warning", "error")]
    steps = steps_on(host, wanted) if needing else None
    if steps is None:
        return found
    switched = [one for one in needing if one.hint != mig.ASK]
    hints = {one.about: f"as for {switched[0].about.rpartition(' ')[2]}" for one in switched}
    hints |= {one.about: "\n".join(steps.lines()) for one in switched[:1]}
    return [replace(one, hint=hints[one.about]) if one in switched else one for one in found]


def _changes(host: Host, wanted: WantedVm) -> list[Finding]:
    """A dry run of what `manage_hosts` lets aiinfra change."""
    planned = changes([host], wanted) if wanted.manage_hosts else []
    return [_change(host, change) for change in planned]


def _change(host: Host, change: HostChange) -> Finding:
    read = f"`up` will set {str(change).removeprefix(f'{host.name}').lstrip(': ')}"
    hint = "set manage_hosts: false to do it by hand"
    return replace(CHANGE.warning(host.name, read, "your consent", hint), host=host.name)


def _of_host(finding: Finding, site: Site) -> Finding:
    """Some checks of the whole say something of each host too."""
    names = {host.name for host in site.cluster.hosts}
    return replace(finding, host=finding.about) if finding.about in names else finding


def _no_cards(site: Site, chosen: Sequence[Host], wanted: WantedVm) -> list[Finding]:
    """Hosts without a fitting card are no error by themselves; a cluster without any is, unless some do not tell.

    Profiles and cards that are named tell of themselves.
    """
    named = wanted.pci_ids or wanted.profile is not None
    silent = any("cards" in host.unread for host in chosen if host.connected)
    if named or silent or wanted.mode == "device_group" or any(cards.concerned(host, wanted) for host in chosen):
        return []
    present = sorted({card.name for host in site.cluster.hosts for card in host.cards})
    needed = wanted.gpu.name if wanted.gpu else "a card"
    read = f"no such card; its hosts have {', '.join(present) or 'no NVIDIA cards'}"
    return [CARDS.error(f"cluster {site.cluster.name}", read, needed, "name a GPU that the hosts have")]
