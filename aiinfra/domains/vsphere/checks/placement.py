"""Where the template is placed and what it is cloned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.hosts.profiles import some
from aiinfra.domains.vsphere.reading.observed import Datastore, Site, Source
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from aiinfra.stack import Finding

PRIVILEGES: Final = Topic("vsphere.privileges", f"{API}: required privileges of its methods")
FOLDER: Final = Topic("vsphere.folder", f"{API}: VirtualMachine.CloneVM_Task")
POOL: Final = Topic("vsphere.pool", f"{API}: VirtualMachineRelocateSpec.pool")
DATASTORE: Final = Topic("vsphere.datastore", f"{API}: VirtualMachine.CloneVM_Task")
SOURCE: Final = Topic("vsphere.source", "openshift/machine-api-operator pkg/controller/vsphere/reconciler.go")
_READ: Final = "let the account read it"


def account(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield each privilege that the account lacks."""
    needed = "every privilege that a template takes"
    if site.missing_privileges is None:
        yield PRIVILEGES.unread(
            site, "missing_privileges", site.vcenter, needed, "ask the vCenter's administrator which the account has"
        )
    elif not site.missing_privileges:
        yield PRIVILEGES.ok(site.vcenter, "the account has every privilege that it needs", needed)
    for missing in site.missing_privileges or ():
        hint = f"give the account a role with {missing.privilege}"
        yield PRIVILEGES.error(missing.path, f"lacks {missing.privilege}", missing.needed_for, hint)


def folder(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    needed = "a folder for templates"
    if site.folder is None:
        why = site.unread.get("folder", "does not exist")
        yield FOLDER.error(site.vcenter, why, needed, "make it, or name one that exists")
    else:
        yield FOLDER.ok(site.folder, "exists", needed)


def resource_pool(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield whether the pool exists that the file names; the cluster's own always does."""
    if not spec.place.resource_pool:
        return
    needed = "a resource pool of the cluster, which VMs are placed in"
    if site.resource_pool is None:
        why = site.unread.get("resource_pool", "does not exist")
        yield POOL.error(site.vcenter, why, needed, "make it, or name one that exists")
    else:
        yield POOL.ok(site.resource_pool.path, "exists", needed)


def datastore(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    store = site.datastore
    if store is None:
        why = site.unread.get("datastore", "does not exist")
        yield DATASTORE.error(site.vcenter, why, "a datastore", "name one that exists")
        return
    yield from _usable(site, store)
    yield _space(store, site.source)


def _usable(site: Site, store: Datastore) -> Iterator[Finding]:
    if store.accessible is None:
        yield DATASTORE.unread(store, "accessible", store.path, "accessible", _READ)
    elif not store.accessible or store.maintenance:
        read = "in maintenance mode" if store.maintenance else "not accessible"
        yield DATASTORE.error(store.path, read, "accessible", "make it accessible, or name another")
    readable = [host for host in site.cluster.hosts if "datastores" not in host.unread]
    if apart := [host.name for host in readable if store.moref not in host.datastores]:
        needed = "mounted by every host: a clone starts where its disks are"
        yield DATASTORE.warning(store.path, f"not mounted by {some(apart)}", needed, "mount it there")


def _space(store: Datastore, source: Source | None) -> Finding:
    disks = sum(source.disk_mib or ()) if source else 0
    needed = f"{disks / 1024:.0f} GiB for the source's disks" if source else "room for the image's disk"
    if store.free_mib is None:
        return DATASTORE.unread(store, "free_mib", store.path, needed, _READ)
    read = f"{store.free_mib / 1024:.0f} GiB free"
    if store.free_mib < disks:
        return DATASTORE.error(store.path, read, needed, "free space, or name another datastore")
    return DATASTORE.ok(store.path, read, needed)


def source(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    found = site.source
    if not spec.source_path:
        return
    if found is None:
        why = site.unread.get("source", f"{spec.source_path} does not exist")
        yield SOURCE.error(site.vcenter, why, "a VM or template", "name one that exists: its inventory path")
        return
    flaws = [*_unread(found), *_errors(found), *_warnings(found)]
    yield from flaws
    if not flaws:
        read = f"vmx-{found.hardware_version}, {found.guest_id}, {found.firmware}, {_count(found.disk_mib, 'disk')}"
        yield SOURCE.ok(found.path, read, "one disk, powered off, no snapshot, a guest of 64 bits")


def _count(things: object, what: str) -> str:
    number = things if isinstance(things, int) else len(things)  # type: ignore[arg-type]
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _unread(found: Source) -> Iterator[Finding]:
    needs = {
        "hardware_version": "its hardware version",
        "guest_id": "its guest",
        "firmware": "its firmware",
        "disk_mib": "its disks",
    }
    for field, needed in needs.items():
        if getattr(found, field) is None:
            yield SOURCE.unread(found, field, found.path, needed, _READ)


def _errors(found: Source) -> Iterator[Finding]:
    topic = replace(SOURCE, source=f"{API}: VirtualMachine.CloneVM_Task")
    if not found.connected:
        yield topic.error(found.path, "not connected", "a VM that vCenter can read", "reconnect it")
    if found.disk_mib is not None and len(found.disk_mib) != 1:
        read, hint = _count(found.disk_mib, "disk"), "take an image with one disk"
        yield SOURCE.error(found.path, read, "one disk, as a machine set resizes it", hint)
    if found.snapshots:
        needed = "none: a full clone of it must be whole"
        yield SOURCE.error(found.path, _count(found.snapshots, "snapshot"), needed, "delete its snapshots")
    if found.powered_on:
        hint = "power it off, or make a template of it"
        yield topic.error(found.path, "powered on", "powered off, so that its disk is whole", hint)


def _warnings(found: Source) -> Iterator[Finding]:
    if found.firmware not in ("efi", None):
        hint = "take an image that boots by EFI; RHCOS boots either way, other guests may not"
        topic = SOURCE.by("coreos/coreos-assembler PR 2762")
        yield topic.warning(found.path, f"firmware {found.firmware}", "EFI, which the template is set to", hint)
    if found.guest_id is not None and not found.guest_id.endswith("64Guest"):
        topic, hint = SOURCE.by(f"{API}: VirtualMachineGuestOsIdentifier"), "set its guest OS, or take another image"
        needed = "a guest of 64 bits: the memory of GPUs is mapped above 4 GiB"
        yield topic.warning(found.path, f"guest {found.guest_id}", needed, hint)
