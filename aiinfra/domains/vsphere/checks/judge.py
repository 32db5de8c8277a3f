"""All checks over one failure domain, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from aiinfra.domains.vsphere.checks import cards, cluster, driver, graphics, hosts, mig, offers, placement
from aiinfra.domains.vsphere.checks.cards import CARDS
from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.hosts.changes import HostChange, changes
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.mig_commands import steps, steps_on
from aiinfra.domains.vsphere.reading.observed import Host, Site
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, PassthroughDevices
from aiinfra.stack import Finding

HostCheck = Callable[[Host, GpuTemplateSpec], Iterator[Finding]]
SiteCheck = Callable[[Site, GpuTemplateSpec], Iterator[Finding]]

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


def judge(site: Site, spec: GpuTemplateSpec) -> list[Finding]:
    """Return all findings of one failure domain, also `ok`. A host that is not connected gets no further check."""
    spec = _with_source_hardware(site, spec)
    found = [_with_host(finding, site) for check in SITE_CHECKS for finding in check(site, spec)]
    chosen = [host for host in site.cluster.hosts if spec.host in ("", host.name)]
    if not chosen:
        name = f"host {spec.host}" if spec.host else "hosts"
        about = f"cluster {site.cluster.name}"
        found.append(hosts.PRESENT.error(about, f"has no {name}", "a host", "name another"))
    found += [*_host_findings(chosen, spec), *_missing_cards(site, chosen, spec)]
    does = _planned_action(chosen, spec)
    return [_downgraded(finding, does) for finding in found] if does else found


def _planned_action(hosts: Sequence[Host], spec: GpuTemplateSpec) -> str:
    """Return what `up` does about the hosts before it reads them again; empty when nothing."""
    if spec.manage_hosts and changes(hosts, spec):
        return "`up` sets what manage_hosts allows first, and looks again"
    if spec.wait_for_host_mig and steps(hosts, spec):
        return "`up` waits until somebody has switched MIG mode, and looks again"
    return ""


def _downgraded(finding: Finding, does: str) -> Finding:
    """Return the finding as a warning when `up` may put it right before it looks again."""
    if finding.level != "error" or finding.code not in AFTERWARDS:
        return finding
    return replace(finding, level="warning", hint=finding.hint if finding.code == mig.MIG.code else does)


def _with_source_hardware(site: Site, spec: GpuTemplateSpec) -> GpuTemplateSpec:
    """Return the spec with the hardware version of a newer source, which its clones keep."""
    newest = max(spec.hardware_version, (site.source and site.source.hardware_version) or 0)
    return spec.model_copy(update={"hardware_version": newest})


def _host_findings(chosen: Sequence[Host], spec: GpuTemplateSpec) -> list[Finding]:
    """Return the findings of all hosts: an error of one is a warning as long as another host serves."""
    by_host = {host.name: _findings_of(host, spec) for host in chosen}
    having = [host.name for host in chosen if spec.gpu.mode == "device_group" or usable_cards(host, spec)]
    serving = [name for name in having if not any(finding.level == "error" for finding in by_host[name])]
    found = [finding for findings in by_host.values() for finding in findings]
    if not serving:
        return found
    return [replace(finding, level="warning") if finding.level == "error" else finding for finding in found]


def _findings_of(host: Host, spec: GpuTemplateSpec) -> list[Finding]:
    checks = (hosts.present, *(HOST_CHECKS if host.connected else ()))
    found = [replace(finding, host=host.name) for check in checks for finding in check(host, spec)]
    return _with_commands(found, host, spec) + _planned_changes(host, spec)


def _with_commands(found: list[Finding], host: Host, spec: GpuTemplateSpec) -> list[Finding]:
    """Return the findings with the commands for the host's shell as the hint of the first card."""
    needing = [one for one in found if one.code == mig.MIG.code and one.level in ("warning", "error")]
    steps = steps_on(host, spec) if needing else None
    if steps is None:
        return found
    switched = [one for one in needing if one.hint != mig.ASK]
    hints = {one.about: f"as for {switched[0].about.rpartition(' ')[2]}" for one in switched}
    hints |= {one.about: "\n".join(steps.lines()) for one in switched[:1]}
    return [replace(one, hint=hints[one.about]) if one in switched else one for one in found]


def _planned_changes(host: Host, spec: GpuTemplateSpec) -> list[Finding]:
    """Return what `manage_hosts` would let aiinfra change, as findings."""
    planned = changes([host], spec) if spec.manage_hosts else []
    return [_change(host, change) for change in planned]


def _change(host: Host, change: HostChange) -> Finding:
    read = f"`up` will set {str(change).removeprefix(f'{host.name}').lstrip(': ')}"
    hint = "set manage_hosts: false to do it by hand"
    return replace(CHANGE.warning(host.name, read, "your consent", hint), host=host.name)


def _with_host(finding: Finding, site: Site) -> Finding:
    """Return the finding with its host, as some checks of the site are about one host."""
    names = {host.name for host in site.cluster.hosts}
    return replace(finding, host=finding.about) if finding.about in names else finding


def _missing_cards(site: Site, chosen: Sequence[Host], spec: GpuTemplateSpec) -> list[Finding]:
    """Return an error when no host of the cluster has a fitting card, unless cards of some hosts are unknown.

    Profiles and cards that the spec names have checks of their own.
    """
    if not isinstance(spec.gpu, PassthroughDevices):
        return []
    silent = any("cards" in host.unread for host in chosen if host.connected)
    if silent or any(usable_cards(host, spec) for host in chosen):
        return []
    present = sorted({card.name for host in site.cluster.hosts for card in host.cards})
    read = f"no such card; its hosts have {', '.join(present) or 'no NVIDIA cards'}"
    return [CARDS.error(f"cluster {site.cluster.name}", read, spec.gpu.model, "name a GPU that the hosts have")]
