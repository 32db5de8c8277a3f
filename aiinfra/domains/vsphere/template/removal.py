"""Removes what carries our mark, and nothing else; keeps a template whose disks other VMs use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any, Final

from pyVmomi import vim

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.errors import NotFound, NotStarted, VSphereError
from aiinfra.domains.vsphere.client.properties import Row, collect, one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.reading.inventory import MarkedVm, marked, path_of
from aiinfra.errors import AiinfraError

DEVICES: Final = "config.hardware.device"
OTHER_POWER_STATE: Final = "InvalidPowerState"
"""The fault of a VM that was started after we looked, by the placement of an interrupted run."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was not removed, and why."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@dataclass(frozen=True, slots=True)
class Swept:
    removed: Sequence[str] = field(default=())
    """Inventory paths."""
    left: Sequence[Kept] = field(default=())


def remove(vcenter: VCenter, vm: MarkedVm, limit: float) -> Kept | None:
    """Remove a VM or template of ours; None when it is gone. Raises `VSphereError`, `Stopped`."""
    if clones := linked_clones(vcenter, vm):
        return Kept(vm.path, f"kept, as its disks are those of {', '.join(clones)}")
    with suppress(NotFound):
        try:
            _power_off_and_destroy(vcenter, vm, limit, powered_on=vm.powered_on)
        except VSphereError as error:
            if error.fault != OTHER_POWER_STATE:
                raise
            _power_off_and_destroy(vcenter, vm, limit, powered_on=not vm.powered_on)
    return None


def _power_off_and_destroy(vcenter: VCenter, vm: MarkedVm, limit: float, *, powered_on: bool) -> None:
    if powered_on:
        finish(vcenter, vm.object.PowerOffVM_Task(), "powering off", vm.path, limit=limit)
    finish(vcenter, vm.object.Destroy_Task(), "removing", vm.path, limit=limit)


def sweep(vcenter: VCenter, environment_id: str, limit: float) -> Swept:
    """Remove everything of an environment, and look again. What remains is named, with the reason."""
    removed: list[str] = []
    left: list[Kept] = []
    for vm in marked(vcenter, environment_id):
        try:
            kept = remove(vcenter, vm, limit)
        except AiinfraError as error:
            kept = Kept(vm.path, error.record.message)
        if kept:
            left.append(kept)
        else:
            removed.append(vm.path)
    named = {kept.path for kept in left}
    again = [Kept(vm.path, "it is still there") for vm in marked(vcenter, environment_id) if vm.path not in named]
    return Swept(removed, [*left, *again])


def remove_proofs(vcenter: VCenter, environment_id: str, limit: float) -> None:
    """Remove the throw-away clones of an interrupted run: they hold GPUs. No run of the environment may be under way.

    `limit` is seconds for each task. Raises `VSphereError`, `Stopped`.
    """
    for vm in marked(vcenter, environment_id):
        if vm.is_proof:
            vcenter.say(f"removing {vm.path}, which an interrupted run left")
            await_tasks(vcenter, vm, limit)
            remove(vcenter, vm, limit)


def await_tasks(vcenter: VCenter, vm: MarkedVm, limit: float) -> None:
    """Wait for the tasks on a VM that an interrupted run began. Their result does not matter; raises `TaskSlow`."""
    row = one(vcenter, vm.object, ["recentTask"])
    tasks = (row.get("recentTask") if row else None) or []
    for task in collect(vcenter, "Task", ["info.state"], tasks):
        if task.get("info.state") in ("running", "queued"):
            with suppress(NotStarted, NotFound):
                finish(vcenter, task.object, "waiting for an earlier task on", vm.path, limit=limit, powering=True)


def linked_clones(vcenter: VCenter, vm: MarkedVm) -> list[str]:
    """Return the paths of the VMs whose disks are based on snapshots of this one. Without a snapshot there are none."""
    row = one(vcenter, vm.object, ["snapshot", "datastore", DEVICES])
    if row is None or row.get("snapshot") is None:
        return []
    disks = _disks(row)
    own = {_file(backing) for disk in disks for backing in (disk.backing, *_parents(disk.backing))}
    stores = collect(vcenter, "Datastore", ["vm"], row.get("datastore") or [])
    others = {other._moId: other for store in stores for other in store.get("vm") or () if other._moId != vm.moref}
    found = collect(vcenter, "VirtualMachine", [DEVICES], list(others.values()))
    return sorted(path_of(vcenter, other.object) or other.moref for other in found if _is_based_on(other, own))


def _is_based_on(other: Row, files: Collection[str]) -> bool:
    return any(_file(parent) in files for disk in _disks(other) for parent in _parents(disk.backing))


def _disks(row: Row) -> list[Any]:
    return [device for device in row.get(DEVICES) or () if isinstance(device, vim.vm.device.VirtualDisk)]


def _parents(backing: Any) -> Iterator[Any]:
    while (backing := getattr(backing, "parent", None)) is not None:
        yield backing


def _file(backing: Any) -> str:
    return str(getattr(backing, "fileName", "") or "")
