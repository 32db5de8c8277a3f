"""Which VMs hold the GPUs of a host, from rows that were read. Sends no request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.properties import Row
from aiinfra.domains.vsphere.reading.observed import VmOnHost
from aiinfra.facts.gpus import PCI_VENDOR

NVIDIA: Final = int(PCI_VENDOR, 16)
DISPLAYS: Final = (0x0300, 0x0302)
"""PCI classes of a GPU: VGA and 3D controller. Its sound and bridge functions have others."""

PCI: Final = "hardware.pciDevice"
GRAPHICS: Final = "config.graphicsInfo"
PASSTHROUGH: Final = "config.pciPassthruInfo"
BINDINGS: Final = "config.assignableHardwareBinding"
"""Properties of a host."""
VMS: Final = "vm"
"""Property of a host: its VMs."""
_POWER, _RESERVATION = "runtime.powerState", "config.memoryAllocation.reservation"
VM_PATHS: Final = (_POWER, _RESERVATION)
"""Properties that are read of every VM: there are thousands, so these are few."""
DEVICES: Final = "config.hardware.device"
HOLDER_PATHS: Final = ("name", DEVICES)
"""Properties that are read of VMs that may hold GPUs."""


@dataclass(frozen=True, slots=True)
class HostVms:
    """The powered-on VMs of one host, and the properties of those that may hold GPUs, by moref."""

    rows: Sequence[Row] = ()
    holders: Mapping[str, Row] = field(default_factory=dict)

    def names(self) -> Mapping[str, str]:
        """The names of the VMs that may hold GPUs, by moref."""
        return {vm.moref: _name(self.holders[vm.moref]) for vm in self.rows if vm.moref in self.holders}


def is_gpu(device: Any) -> bool:
    """Whether a PCI device is an NVIDIA GPU; its virtual functions have no subsystem."""
    return (
        device.vendorId & 0xFFFF == NVIDIA and device.classId & 0xFFFF in DISPLAYS and bool(device.subDeviceId & 0xFFFF)
    )


def with_gpus(row: Row, vms: Sequence[Row]) -> list[Row]:
    """Return the VMs of a host that may hold GPU devices.

    vCenter names who uses a card that is shared, and who holds assignable hardware; a VM with a static passthrough
    device is found by its memory, which must be reserved.
    """
    named = _users(row)
    passed = any(info.passthruActive for info in _of_gpus(row))
    return [vm for vm in vms if vm.moref in named or (passed and reserved(vm) > 0)]


def unseen(row: Row, vms: HostVms) -> Mapping[str, str]:
    """Return why free GPUs are not known: VMs that may hold some cannot be read."""
    shown = {vm.moref for vm in vms.rows}
    hidden = _users(row) - shown | {vm.moref for vm in with_gpus(row, vms.rows) if vm.moref not in vms.holders}
    number = f"{len(hidden)} VM{'s' if len(hidden) > 1 else ''}"
    return {"vms": f"GPUs of it are held by {number} that the account may not read"} if hidden else {}


def _users(row: Row) -> set[str]:
    """Return the morefs of VMs that vCenter names as users of a shared card or of assignable hardware."""
    named = {vm._moId for info in row.get(GRAPHICS, ()) for vm in info.vm or ()}
    return named | {binding.vm._moId for binding in row.get(BINDINGS, ()) if binding.vm is not None}


def holding(vms: HostVms) -> tuple[VmOnHost, ...]:
    """Return the VMs that hold GPUs, with their devices."""
    held = (vms.holders[vm.moref] for vm in vms.rows if vm.moref in vms.holders)
    return tuple(found for holder in held if (found := _vm(_name(holder), holder.get(DEVICES, ()))))


def _name(holder: Row) -> str:
    return str(holder.get("name", holder.moref))


def _vm(name: str, devices: Sequence[Any]) -> VmOnHost | None:
    backings = [backing for device in devices if (backing := getattr(device, "backing", None)) is not None]
    profiles = tuple(backing.vgpu for backing in backings if getattr(backing, "vgpu", None))
    passed = tuple(id for backing in backings if (id := _passed(backing)))
    return VmOnHost(name, profiles, passed) if profiles or passed else None


def _passed(backing: Any) -> str | None:
    """Return the PCI id of a passed-through device: named when static, assigned at power-on when dynamic."""
    if type(backing).__name__.endswith("VirtualPCIPassthrough.DeviceBackingInfo"):
        return str(backing.id)
    return getattr(backing, "assignedId", None)


def reserved(vm: Row) -> int:
    """Return how many MiB of the host's memory a VM reserves."""
    return int(vm.get(_RESERVATION, 0)) if powered_on(vm) else 0


def powered_on(vm: Row) -> bool:
    return bool(vm.get(_POWER) == "poweredOn")


def _of_gpus(row: Row) -> Iterator[Any]:
    ids = {device.id for device in row.get(PCI, ()) if is_gpu(device)}
    return (info for info in row.get(PASSTHROUGH, ()) if info.id in ids)
