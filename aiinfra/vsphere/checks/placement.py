"""Where the template stands and what it is cloned from; whether anything could start from it now."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.stack import Finding
from aiinfra.vsphere.capacity import Shape, free, total
from aiinfra.vsphere.checks.cards import concerned
from aiinfra.vsphere.checks.findings import error, ok, unknown, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.profiles import Choice, NoProfile, choose
from aiinfra.vsphere.readings import Datastore, Site, Source


def account(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    """Every privilege that the account lacks, each named."""
    needed = "every privilege that a template takes"
    if site.missing_privileges is None:
        yield unknown(
            "vsphere.privileges",
            site,
            site.vcenter,
            "missing_privileges",
            needed,
            hint="ask the vCenter's administrator",
        )
    elif not site.missing_privileges:
        yield ok("vsphere.privileges", site.vcenter, "all of them", needed)
    for missing in site.missing_privileges or ():
        hint = f"give the account a role with {missing.privilege}"
        yield error("vsphere.privileges", missing.path, f"lacks {missing.privilege}", missing.needed_for, hint)


def folder(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    if site.folder is None:
        why = site.unread.get("folder", "does not exist")
        yield error("vsphere.folder", site.vcenter, why, "a folder for templates", "make it, or name one that exists")
    else:
        yield ok("vsphere.folder", site.folder, "exists", "a folder for templates")


def datastore(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    store = site.datastore
    if store is None:
        why = site.unread.get("datastore", "does not exist")
        yield error("vsphere.datastore", site.vcenter, why, "a datastore", "name one that exists")
        return
    disks = sum(site.source.disk_mib) if site.source else 0
    yield from _usable(site, store)
    needed = f"{disks / 1024:.0f} GiB for the source's disks"
    if store.free_mib < disks:
        hint = "free space, or name another datastore"
        yield error("vsphere.datastore", store.path, f"{store.free_mib / 1024:.0f} GiB free", needed, hint)
    else:
        yield ok("vsphere.datastore", store.path, f"{store.free_mib / 1024:.0f} GiB free", needed)


def _usable(site: Site, store: Datastore) -> Iterator[Finding]:
    if not store.accessible or store.maintenance:
        read = "in maintenance mode" if store.maintenance else "not accessible"
        yield error("vsphere.datastore", store.path, read, "accessible", "make it accessible, or name another")
    apart = [host.name for host in site.cluster.hosts if store.moref not in host.datastores]
    if apart:
        needed = "mounted by every host: a clone starts where its disks are"
        yield warning("vsphere.datastore", store.path, f"not mounted by {', '.join(apart)}", needed, "mount it there")


def source(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    found = site.source
    if not wanted.source:
        return
    if found is None:
        why = site.unread.get("source", "does not exist")
        yield error(
            "vsphere.source", wanted.source, why, "a VM or template", "name one that exists: its inventory path"
        )
        return
    yield from _source(found)


def _source(found: Source) -> Iterator[Finding]:
    flaws = list(_flaws(found))
    for read, needed, hint in flaws:
        yield error("vsphere.source", found.path, read, needed, hint)
    if found.firmware != "efi":
        hint = "take an image that boots by EFI; RHCOS boots either way, other guests may not"
        yield warning(
            "vsphere.source", found.path, f"firmware {found.firmware}", "EFI, which the template is set to", hint
        )
    if not flaws:
        read = f"vmx-{found.hardware_version}, {found.guest_id}, {len(found.disk_mib)} disk"
        yield ok("vsphere.source", found.path, read, "one disk, powered off, no snapshot")


def _flaws(found: Source) -> Iterator[tuple[str, str, str]]:
    if not found.connected:
        yield "not connected", "a VM that vCenter can read", "reconnect it"
    if len(found.disk_mib) != 1:
        yield f"{len(found.disk_mib)} disks", "one disk, as a machine set resizes it", "take an image with one disk"
    if found.snapshots:
        yield f"{found.snapshots} snapshots", "none: a full clone of it must be whole", "delete its snapshots"
    if found.powered_on:
        yield "powered on", "powered off, so that its disk is whole", "power it off, or make a template of it"


def profile(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    """The vGPU profile that would be taken."""
    if wanted.profile is None:
        return
    told = choose(site.cluster.hosts, wanted.profile)
    about, needed = f"cluster {site.cluster.name}", "a profile that can be started now"
    if isinstance(told, NoProfile):
        yield _no_profile(told, about, needed)
    else:
        yield ok("vsphere.profile", about, f"{told.profile.name} on {', '.join(told.hosts)}", needed)


def _no_profile(told: NoProfile, about: str, needed: str) -> Finding:
    if told.unread:
        read = f"{told.message}; {', '.join(told.unread)} did not tell"
        return Finding("unknown", about, read, needed, told.hint, "", told.code)
    return Finding("error", about, told.message, needed, told.hint, "", told.code)


def capacity(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    """How many VMs could be started now, on each host and in total. None is an error when one is to be started."""
    shape = _shape(site, wanted)
    if shape is None:
        return
    gpus = f"{wanted.count} GPUs" if wanted.count > 1 else "one GPU"
    needed = f"room for a VM of {gpus} and {wanted.memory_mib / 1024:g} GiB"
    rooms = free([host for host in site.cluster.hosts if concerned(host, wanted)], shape)
    for room in rooms:
        if room.vms is None:
            hint = "see its vGPU profiles in vCenter"
            yield Finding("unknown", room.host, room.why, needed, hint, "", "vsphere.capacity")
        elif room.vms:
            yield ok("vsphere.capacity", room.host, f"{room.vms} more VMs", needed)
        else:
            yield warning(
                "vsphere.capacity", room.host, f"no room: {room.why}", needed, "free a card, or expect no VM there"
            )
    about, read = f"cluster {site.cluster.name}", f"{total(rooms)} more VMs in total"
    if total(rooms):
        yield ok("vsphere.capacity", about, read, needed)
    else:
        full = error if wanted.power_on else warning
        yield full("vsphere.capacity", about, read, needed, "free cards or memory, or ask less for each VM")


def _shape(site: Site, wanted: WantedVm) -> Shape | None:
    if wanted.profile is not None:
        told = choose(site.cluster.hosts, wanted.profile)
        return Shape(wanted.count, wanted.memory_mib, told.profile) if isinstance(told, Choice) else None
    if wanted.gpu is not None:
        device = int(wanted.gpu.pci_device, 16)
        return Shape(wanted.count, wanted.memory_mib, device_id=device, label=wanted.label)
    return None
