"""Whether anything could start from the template now: the profile, the device group, and room for VMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.hosts.capacity import Shape, free, total
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.profiles import (
    SHARING,
    Choice,
    NoProfile,
    choose,
    least_gib,
    reboot,
    sharing_of,
    some,
    startable_on,
)
from aiinfra.domains.vsphere.reading.observed import Host, Site
from aiinfra.domains.vsphere.spec import (
    GpuTemplateSpec,
    GroupDevices,
    PassthroughDevices,
    StaticDevices,
    VgpuDevices,
)
from aiinfra.stack import Finding

PROFILE: Final = Topic("vsphere.profile", f"{API}: HostConfigInfo.sharedPassthruGpuTypes")
GROUP: Final = Topic("vsphere.device_group", f"{API}: ConfigTarget.vendorDeviceGroupInfo")
CAPACITY: Final = Topic("vsphere.capacity", "NVIDIA/gpu-operator default-vgpu-devices-config; NVIDIA MIG user guide")
PINNED: Final = Topic("vsphere.pinned", f"{API}: VirtualPCIPassthroughDeviceBackingInfo")
LOOK: Final = "see its vGPU profiles in vCenter"


def profile(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield the vGPU profile that would be chosen, and which profiles each host can start now."""
    devices = spec.gpu
    if not isinstance(devices, VgpuDevices):
        return
    choice = choose(site.cluster.hosts, devices)
    about, needed = f"cluster {site.cluster.name}", "a profile that can be started now"
    if isinstance(choice, NoProfile):
        yield _no_profile(choice, about, needed, _pending(site, spec))
    else:
        yield PROFILE.ok(about, f"{choice.profile.name} on {some(choice.hosts)}", needed)
    name = choice.profile.name if isinstance(choice, Choice) else devices.profile
    asked = name or f"a {SHARING[sharing_of(devices)]} profile of {least_gib(devices)} GiB or more"
    for host in site.cluster.hosts:
        if host.connected and usable_cards(host, spec):
            yield _startable(host, name, f"{asked} among those that it can start now")


def _pending(site: Site, spec: GpuTemplateSpec) -> str:
    """Return the note that hosts may offer more after a reboot; empty when none is pending."""
    waiting = [host.name for host in site.cluster.hosts if host.reboot_required and usable_cards(host, spec)]
    return f"; a reboot is pending on {some(waiting)}" if waiting else ""


def _no_profile(none: NoProfile, about: str, needed: str, pending: str) -> Finding:
    topic = Topic(none.code, PROFILE.source)
    if none.unread:
        read = f"{none.message}; {some(none.unread)} did not tell"
        return topic.unknown(about, read, needed, none.hint)
    return topic.error(about, f"{none.message}{pending}", needed, none.hint)


def _startable(host: Host, name: str, needed: str) -> Finding:
    if host.startable is None:
        return PROFILE.unread(host, "startable", host.name, needed, LOOK)
    read = f"can start {some(host.startable) or 'no vGPU profile'}"
    if name and startable_on([host], name):
        return PROFILE.ok(host.name, read, needed)
    hint = "free a card of it, or set its MIG mode as the profile needs; other hosts may serve"
    return PROFILE.warning(host.name, read, needed, hint)


def device_group(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    if not isinstance(spec.gpu, GroupDevices):
        return
    name = spec.gpu.group
    hosts, needed = [host for host in site.cluster.hosts if host.connected], f"device group {name}"
    about = f"cluster {site.cluster.name}"
    listing = [host.name for host in hosts if any(group.name == name for group in host.groups or ())]
    if listing:
        yield GROUP.ok(about, f"listed by {some(listing)}", needed)
        hint = "start one VM of it to know: verify: power_on"
        yield CAPACITY.note(about, "no vSphere API tells how many of a device group are free", "room for one", hint)
    elif silent := [host.name for host in hosts if host.groups is None]:
        why = f"listed by no host; {some(silent)} did not tell"
        yield GROUP.unknown(about, why, needed, "see the device groups of the hosts in vCenter")
    else:
        there = sorted({group.name for host in hosts for group in host.groups or ()})
        hint = f"the hosts list: {some(there) or 'no device group'}"
        yield GROUP.error(about, "listed by no host", needed, hint)


def pinned(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    if isinstance(spec.gpu, StaticDevices):
        read = f"static passthrough: every VM runs on {spec.gpu.host} and nowhere else"
        hint = "use gpu.mode: passthrough, which finds a host with such cards free"
        needed = "a VM that placement may put anywhere, for machine sets of more than one machine"
        yield PINNED.note(f"cluster {site.cluster.name}", read, needed, hint)


def capacity(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield how many VMs could start now, on each host and in total; none is an error when one is to be started."""
    shape = _shape(site, spec)
    if shape is None:
        return
    gpus = f"{spec.count} GPUs" if spec.count > 1 else "one GPU"
    needed = f"room for a VM of {gpus} and {spec.memory_mib / 1024:g} GiB"
    hosts = [host for host in site.cluster.hosts if spec.host in ("", host.name) and usable_cards(host, spec)]
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
        full = CAPACITY.error if spec.power_on else CAPACITY.warning
        hint = reboot(hosts) or "free cards or memory, or ask less for each VM"
        yield full(about, f"{read}{_pending(site, spec)}", needed, hint)


def _vms(number: int) -> str:
    return f"{number} more VM" if number == 1 else f"{number} more VMs"


def _shape(site: Site, spec: GpuTemplateSpec) -> Shape | None:
    count, memory = spec.count, spec.memory_mib
    match spec.gpu:
        case VgpuDevices() as devices:
            choice = choose(site.cluster.hosts, devices)
            return Shape(count, memory, choice.profile) if isinstance(choice, Choice) else None
        case PassthroughDevices(gpu=gpu, label=label):
            return Shape(count, memory, device_id=int(gpu.pci_device, 16), label=label)
        case StaticDevices(pci_ids=pci_ids):
            return Shape(count, memory, pci_ids=pci_ids)
        case GroupDevices():
            return None
