"""Whether anything could start from the template now: the profile, the device group, and room for VMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiinfra.domains.vsphere.checks.cards import concerned
from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.checks.wanted import WantedVm
from aiinfra.domains.vsphere.hosts.capacity import Shape, free, total
from aiinfra.domains.vsphere.hosts.profiles import SHARING, Choice, NoProfile, choose, reboot, some, startable_on
from aiinfra.domains.vsphere.reading.observed import Host, Site
from aiinfra.stack import Finding

PROFILE: Final = Topic("vsphere.profile", f"{API}: HostConfigInfo.sharedPassthruGpuTypes")
GROUP: Final = Topic("vsphere.device_group", f"{API}: ConfigTarget.vendorDeviceGroupInfo")
CAPACITY: Final = Topic("vsphere.capacity", "NVIDIA/gpu-operator default-vgpu-devices-config; NVIDIA MIG user guide")
PINNED: Final = Topic("vsphere.pinned", f"{API}: VirtualPCIPassthroughDeviceBackingInfo")
LOOK: Final = "see its vGPU profiles in vCenter"


def profile(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    """The vGPU profile that would be taken, and which ones each host can start now."""
    if wanted.profile is None:
        return
    told = choose(site.cluster.hosts, wanted.profile)
    about, needed = f"cluster {site.cluster.name}", "a profile that can be started now"
    if isinstance(told, NoProfile):
        yield _no_profile(told, about, needed, _pending(site, wanted))
    else:
        yield PROFILE.ok(about, f"{told.profile.name} on {some(told.hosts)}", needed)
    name = told.profile.name if isinstance(told, Choice) else wanted.profile.name
    asked = name or f"a {SHARING[wanted.profile.sharing]} profile of {wanted.profile.memory_gib} GiB or more"
    for host in site.cluster.hosts:
        if host.connected and concerned(host, wanted):
            yield _startable(host, name, f"{asked} among those that it can start now")


def _pending(site: Site, wanted: WantedVm) -> str:
    """What is added where hosts with such cards may offer more after a reboot."""
    waiting = [host.name for host in site.cluster.hosts if host.reboot_required and concerned(host, wanted)]
    return f"; a reboot is pending on {some(waiting)}" if waiting else ""


def _no_profile(told: NoProfile, about: str, needed: str, pending: str) -> Finding:
    topic = Topic(told.code, PROFILE.source)
    if told.unread:
        read = f"{told.message}; {some(told.unread)} did not tell"
        return topic.unknown(about, read, needed, told.hint)
    return topic.error(about, f"{told.message}{pending}", needed, told.hint)


def _startable(host: Host, name: str, needed: str) -> Finding:
    if host.startable is None:
        return PROFILE.unread(host, "startable", host.name, needed, LOOK)
    read = f"can start {some(host.startable) or 'no vGPU profile'}"
    if name and startable_on([host], name):
        return PROFILE.ok(host.name, read, needed)
    hint = "free a card of it, or set its MIG mode as the profile needs; other hosts may serve"
    return PROFILE.warning(host.name, read, needed, hint)


def device_group(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    if wanted.mode != "device_group":
        return
    hosts, needed = [host for host in site.cluster.hosts if host.connected], f"device group {wanted.group}"
    about = f"cluster {site.cluster.name}"
    listing = [host.name for host in hosts if any(group.name == wanted.group for group in host.groups or ())]
    if listing:
        yield GROUP.ok(about, f"listed by {some(listing)}", needed)
        hint = "start one VM of it to know: verify: power_on"
        yield CAPACITY.warning(about, "no vSphere API tells how many of a device group are free", "room for one", hint)
    elif silent := [host.name for host in hosts if host.groups is None]:
        why = f"listed by no host; {some(silent)} did not tell"
        yield GROUP.unknown(about, why, needed, "see the device groups of the hosts in vCenter")
    else:
        there = sorted({group.name for host in hosts for group in host.groups or ()})
        hint = f"the hosts list: {some(there) or 'no device group'}"
        yield GROUP.error(about, "listed by no host", needed, hint)


def pinned(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    if wanted.mode == "static_passthrough":
        read = f"static passthrough: every VM runs on {wanted.host} and nowhere else"
        hint = "use gpu.mode: passthrough, which finds a host with such cards free"
        needed = "a VM that placement may put anywhere, for machine sets of more than one machine"
        yield PINNED.warning(f"cluster {site.cluster.name}", read, needed, hint)


def capacity(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    """How many VMs could be started now, on each host and in total. None is an error when one is to be started."""
    shape = _shape(site, wanted)
    if shape is None:
        return
    gpus = f"{wanted.count} GPUs" if wanted.count > 1 else "one GPU"
    needed = f"room for a VM of {gpus} and {wanted.memory_mib / 1024:g} GiB"
    hosts = [host for host in site.cluster.hosts if wanted.host in ("", host.name) and concerned(host, wanted)]
    if not (rooms := free(hosts, shape)):
        return
    for room in rooms:
        if room.vms is None:
            yield CAPACITY.unknown(room.host, room.why, needed, "see its VMs and its vGPU profiles in vCenter")
        elif room.vms:
            yield CAPACITY.ok(room.host, f"{_vms(room.vms)}", needed)
        else:
            yield CAPACITY.warning(room.host, f"no room: {room.why}", needed, "free a card, or expect no VM there")
    about, read = f"cluster {site.cluster.name}", f"{_vms(total(rooms))} in total"
    if total(rooms):
        yield CAPACITY.ok(about, read, needed)
    elif any(room.vms is None for room in rooms):
        yield CAPACITY.unknown(about, f"{read}, as far as the hosts tell", needed, "see the hosts above")
    else:
        full = CAPACITY.error if wanted.power_on else CAPACITY.warning
        hint = reboot(hosts) or "free cards or memory, or ask less for each VM"
        yield full(about, f"{read}{_pending(site, wanted)}", needed, hint)


def _vms(number: int) -> str:
    return f"{number} more VM" if number == 1 else f"{number} more VMs"


def _shape(site: Site, wanted: WantedVm) -> Shape | None:
    if wanted.profile is not None:
        told = choose(site.cluster.hosts, wanted.profile)
        return Shape(wanted.count, wanted.memory_mib, told.profile) if isinstance(told, Choice) else None
    if wanted.gpu is not None:
        device = int(wanted.gpu.pci_device, 16)
        return Shape(wanted.count, wanted.memory_mib, device_id=device, label=wanted.label)
    if wanted.pci_ids:
        return Shape(wanted.count, wanted.memory_mib, pci_ids=wanted.pci_ids)
    return None
