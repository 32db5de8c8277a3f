"""All checks over one failure domain, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from aiinfra.domains.vsphere.checks import cards, cluster, driver, graphics, hosts, mig, offers, placement
from aiinfra.domains.vsphere.checks.beside_others import Shared, qualifying
from aiinfra.domains.vsphere.checks.cards import CARDS
from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.hosts.changes import changes
from aiinfra.domains.vsphere.hosts.claims import OtherStack
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.mig_commands import steps
from aiinfra.domains.vsphere.reading.observed import Host, Site
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, PassthroughDevices
from aiinfra.stack import Finding

HostCheck = Callable[[Host, GpuTemplateSpec], Iterator[Finding]]
SiteCheck = Callable[[Site, GpuTemplateSpec], Iterator[Finding]]

SITE_CHECKS: Final[Sequence[SiteCheck]] = (
    placement.account,
    placement.folder,
    placement.resource_pool,
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


def judge(site: Site, spec: GpuTemplateSpec, others: Sequence[OtherStack] = ()) -> list[Finding]:
    """Return all findings of one failure domain, also `ok`. A host that is not connected gets no further check.

    `others`: templates of other stacks in the same cluster, from which no hint takes the cards that serve them.
    """
    spec = _with_source_hardware(site, spec)
    found = [_with_host(finding, site) for check in SITE_CHECKS for finding in check(site, spec)]
    chosen = [host for host in site.cluster.hosts if spec.host in ("", host.name)]
    if not chosen:
        name = f"host {spec.host}" if spec.host else "hosts"
        about = f"cluster {site.cluster.name}"
        found.append(hosts.PRESENT.error(about, f"has no {name}", "a host", "name another"))
    shared = Shared.of(chosen, spec, others)
    by_host = {host.name: _findings_of(host, shared) for host in chosen}
    having = [host for host in chosen if spec.gpu.mode == "device_group" or usable_cards(host, spec)]
    serving = [host.name for host in having if not any(one.level == "error" for one in by_host[host.name])]
    if summary := qualifying(f"cluster {site.cluster.name}", having, serving):
        found.append(summary)
    found += [_beside_a_serving_one(one) if serving else one for its in by_host.values() for one in its]
    found += _missing_cards(site, chosen, spec)
    found = [*shared.judged(found, serving), *(change for host in chosen for change in _planned_changes(host, shared))]
    does = _planned_action(shared)
    return [_downgraded(finding, does) for finding in found] if does else found


def _planned_action(shared: Shared) -> str:
    """Return what `up` does about the hosts before it reads them again; empty when nothing."""
    if shared.spec.manage_hosts and changes(shared.hosts, shared.spec):
        return "`up` sets what manage_hosts allows first, and looks again"
    if shared.spec.wait_for_host_mig and shared.all_may_change and steps(shared.hosts, shared.spec):
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


def _beside_a_serving_one(finding: Finding) -> Finding:
    """Return an error of a host as a warning, as another host serves."""
    return replace(finding, level="warning") if finding.level == "error" else finding


def _findings_of(host: Host, shared: Shared) -> list[Finding]:
    checks = (hosts.present, *(HOST_CHECKS if host.connected else ()))
    found = [replace(finding, host=host.name) for check in checks for finding in check(host, shared.spec)]
    return shared.with_commands(found, host)


def _planned_changes(host: Host, shared: Shared) -> Iterator[Finding]:
    """Yield what `manage_hosts` would let aiinfra change; an error when that takes a card from another stack."""
    for change in changes([host], shared.spec) if shared.spec.manage_hosts else ():
        what = str(change).removeprefix(f"{host.name}").lstrip(": ")
        if users := shared.refused_change(host, change):
            read, needed = f"`up` would set {what}, and it serves {users}", "cards that no other stack uses"
            hint = "set manage_hosts: false, or tell the cards of both apart: by model, by cluster, by host"
            finding = CHANGE.error(host.name, read, needed, hint)
        else:
            hint = "set manage_hosts: false to do it by hand"
            finding = CHANGE.warning(host.name, f"`up` will set {what}", "your consent", hint)
        yield replace(finding, host=host.name)


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
