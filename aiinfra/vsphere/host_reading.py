"""One host out of what a vCenter answers about it. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiinfra.facts.gpus import PCI_VENDOR
from aiinfra.facts.vgpu_manager import is_nvidias
from aiinfra.vsphere.properties import Row
from aiinfra.vsphere.readings import (
    Card,
    DeviceGroup,
    Host,
    PassthroughChoice,
    PassthroughState,
    Sharing,
    StaticChoice,
    VgpuProfile,
    Vib,
    VmOnHost,
)

NVIDIA: Final = int(PCI_VENDOR, 16)
DISPLAYS: Final = (0x0300, 0x0302)
"""PCI classes of a GPU: VGA and 3D controller. Its sound and bridge functions have others."""

_FIELDS: Final[Mapping[str, str]] = {
    "version": "config.product.version",
    "build": "config.product.build",
    "api_version": "config.product.apiVersion",
    "default_graphics_type": "config.graphicsConfig.hostDefaultGraphicsType",
    "assignment_policy": "config.graphicsConfig.sharedPassthruAssignmentPolicy",
    "reboot_required": "summary.rebootRequired",
}
_LISTS: Final[Mapping[str, str]] = {
    "startable": "config.sharedPassthruGpuTypes",
    "dns": "config.network.dnsConfig.address",
    "ntp": "config.dateTimeInfo.ntpConfig.server",
}
_CONNECTED, _PCI, _GRAPHICS, _PASSTHROUGH, _SERVICES, _MEMORY, _BINDINGS = (
    "runtime.connectionState",
    "hardware.pciDevice",
    "config.graphicsInfo",
    "config.pciPassthruInfo",
    "config.service.service",
    "hardware.memorySize",
    "config.assignableHardwareBinding",
)
HOST_PATHS: Final = (
    "name",
    "runtime.inMaintenanceMode",
    "datastore",
    "configManager.imageConfigManager",
    *(_CONNECTED, _PCI, _GRAPHICS, _PASSTHROUGH, _SERVICES, _MEMORY, _BINDINGS),
    *_FIELDS.values(),
    *_LISTS.values(),
)
VM_PATHS: Final = (
    "name",
    "runtime.powerState",
    "runtime.host",
    "config.memoryAllocation.reservation",
    "config.hardware.memoryMB",
)
DEVICES: Final = "config.hardware.device"
UNTOLD: Final = "vCenter does not tell it"
OFFERS: Final = ("profiles", "dynamic", "static", "groups")
"""Fields of a host that its ConfigTarget answers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of one host besides its properties; None: not answered, and why by field."""

    target: Any = None
    """`vim.vm.ConfigTarget`."""
    packages: Sequence[Any] | None = None
    """`vim.host.SoftwarePackage`s."""
    unread: Mapping[str, str] = field(default_factory=dict)
    offers_nothing: bool = False
    """It was not asked, as it has nothing to offer."""
    edition: str | None = None
    """Name of its licence."""


@dataclass(frozen=True, slots=True)
class HostVms:
    """The powered-on VMs of one host, and the devices of those that may hold GPUs, by moref."""

    rows: Sequence[Row] = ()
    devices: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def connected(row: Row) -> bool:
    return str(row.get(_CONNECTED)) == "connected"


def away(row: Row) -> str:
    return row.unread.get(_CONNECTED) or f"the host is {row.get(_CONNECTED, 'not connected')}"


def has_gpus(row: Row) -> bool:
    """True as well when its devices could not be read."""
    return _PCI not in row.values or any(_is_gpu(device) for device in row.get(_PCI))


def with_gpus(row: Row, vms: Sequence[Row]) -> list[Row]:
    """Those of a host's VMs that may hold GPU devices.

    vCenter names who uses a card that is shared, and who holds assignable hardware; a VM with a static passthrough
    device is found by its memory, all of which must be reserved.
    """
    named = _users(row)
    passed = any(info.passthruActive for info in _of_gpus(row))
    return [vm for vm in vms if vm.moref in named or (passed and _reserved(vm) >= _size(vm) > 0)]


def host(row: Row, cluster: str, asked: Asked, vms: HostVms) -> Host:
    """`cluster` is an inventory path. `unread` holds the reason for each field that is None."""
    fields: dict[str, Any] = {name: row.get(place) for name, place in _FIELDS.items()}
    fields |= {name: _listed(row, place) for name, place in _LISTS.items()}
    name = str(row.get("name", row.moref))
    memory = int(row.get(_MEMORY, 0)) >> 20
    return Host(
        moref=row.moref,
        path=f"{cluster}/{name}",
        name=name,
        cluster=cluster,
        connected=connected(row),
        maintenance=bool(row.get("runtime.inMaintenanceMode")),
        license_edition=asked.edition,
        cards=_cards(row, {vm.moref: str(vm.get("name", vm.moref)) for vm in vms.rows}),
        ntp_running=_ntp(row),
        vms=_vms(row, vms),
        memory_mib=memory,
        memory_free_mib=max(0, memory - sum(map(_reserved, vms.rows))),
        datastores=tuple(store._moId for store in row.get("datastore", ())),
        vibs=None if asked.packages is None else tuple(_vibs(asked.packages)),
        unread={**_unread(row), **_untold(row), **_unseen(row, vms), **asked.unread},
        **(dict.fromkeys(OFFERS, ()) if asked.offers_nothing else _offers(asked.target)),
        **fields,
    )


def _unread(row: Row) -> Mapping[str, str]:
    places = {**_FIELDS, "ntp_running": _SERVICES, "cards": _PCI}
    places |= {name: place for name, place in _LISTS.items() if _listed(row, place) is None}
    why = UNTOLD if connected(row) else away(row)
    return {name: row.unread.get(place, why) for name, place in places.items() if place not in row.values}


def _untold(row: Row) -> Mapping[str, str]:
    """Reasons for what no field of its own shows."""
    places = {
        "connected": _CONNECTED,
        "graphics": _GRAPHICS,
        "passthrough": _PASSTHROUGH,
        "memory": _MEMORY,
        "datastores": "datastore",
    }
    return {name: row.unread[place] for name, place in places.items() if place in row.unread}


def _unseen(row: Row, vms: HostVms) -> Mapping[str, str]:
    """Who holds GPUs of the host, or may, and cannot be read: what is free is not known."""
    shown = {vm.moref for vm in vms.rows}
    hidden = _users(row) - shown | {vm.moref for vm in with_gpus(row, vms.rows) if vm.moref not in vms.devices}
    number = f"{len(hidden)} VM{'s' if len(hidden) > 1 else ''}"
    return {"vms": f"GPUs of it are held by {number} that the account may not read"} if hidden else {}


def _users(row: Row) -> set[str]:
    """VMs that vCenter names as users of a card that is shared, or of assignable hardware, by moref."""
    named = {vm._moId for info in row.get(_GRAPHICS, ()) for vm in info.vm or ()}
    return named | {binding.vm._moId for binding in row.get(_BINDINGS, ()) if binding.vm is not None}


def _listed(row: Row, place: str) -> tuple[str, ...] | None:
    """What is unset is empty, on a host whose configuration is known at all."""
    if place in row.values:
        return tuple(map(str, row.get(place)))
    return () if "config.product.version" in row.values and place not in row.unread else None


def _cards(row: Row, names: Mapping[str, str]) -> tuple[Card, ...]:
    graphics = {info.pciId: info for info in row.get(_GRAPHICS, ())}
    passthrough = {info.id: info for info in row.get(_PASSTHROUGH, ())}
    found = (device for device in row.get(_PCI, ()) if _is_gpu(device))
    return tuple(_card(device, graphics.get(device.id), passthrough.get(device.id), names) for device in found)


def _card(device: Any, graphics: Any, passthrough: Any, names: Mapping[str, str]) -> Card:
    users = (vm._moId for vm in (graphics.vm or () if graphics else ()))
    return Card(
        pci_id=device.id,
        name=(graphics and graphics.deviceName) or device.deviceName,
        vendor_id=device.vendorId & 0xFFFF,
        device_id=device.deviceId & 0xFFFF,
        sub_vendor_id=device.subVendorId & 0xFFFF,
        sub_device_id=device.subDeviceId & 0xFFFF,
        memory_mib=graphics.memorySizeInKB >> 10 if graphics else None,
        graphics_type=graphics.graphicsType if graphics else None,
        vgpu_mode=(graphics.vgpuMode or None) if graphics else None,
        passthrough=_state(passthrough) if passthrough else None,
        vms=tuple(names[user] for user in users if user in names),
    )


def _state(info: Any) -> PassthroughState:
    return PassthroughState(
        capable=bool(info.passthruCapable),
        enabled=bool(info.passthruEnabled),
        active=bool(info.passthruActive),
        label=info.hardwareLabel or "",
        sriov_capable=getattr(info, "sriovCapable", None),
        sriov_enabled=getattr(info, "sriovEnabled", None),
        sriov_active=getattr(info, "sriovActive", None),
    )


def _is_gpu(device: Any) -> bool:
    """A virtual function, which a host lists as well, has no subsystem."""
    return (
        device.vendorId & 0xFFFF == NVIDIA and device.classId & 0xFFFF in DISPLAYS and bool(device.subDeviceId & 0xFFFF)
    )


def _of_gpus(row: Row) -> Iterator[Any]:
    ids = {device.id for device in row.get(_PCI, ()) if _is_gpu(device)}
    return (info for info in row.get(_PASSTHROUGH, ()) if info.id in ids)


def _ntp(row: Row) -> bool | None:
    running = [bool(service.running) for service in row.get(_SERVICES, ()) if service.key == "ntpd"]
    return running[0] if running else None


def _offers(target: Any) -> Mapping[str, Any]:
    if target is None:
        return {}
    return {
        "profiles": tuple(map(_profile, target.vgpuProfileInfo or ())),
        "dynamic": tuple(_dynamic(each) for each in target.dynamicPassthrough or () if _nvidia(each.vendorId)),
        "static": tuple(_static(each) for each in target.pciPassthrough or () if _nvidia(each.pciDevice.vendorId)),
        "groups": tuple(
            DeviceGroup(each.deviceGroupName, each.deviceGroupDescription or "")
            for each in target.vendorDeviceGroupInfo or ()
        ),
    }


def _profile(info: Any) -> VgpuProfile:
    sharing: Sharing = "mig" if info.profileSharing == "mig" else "timeSliced"
    return VgpuProfile(
        info.profileName, info.deviceVendorId & 0xFFFFFFFF, info.fbSizeInGib, sharing, str(info.profileClass)
    )


def _dynamic(info: Any) -> PassthroughChoice:
    ids = (info.vendorId & 0xFFFF, info.deviceId & 0xFFFF)
    return PassthroughChoice(*ids, info.deviceName or "", info.customLabel or "")


def _static(info: Any) -> StaticChoice:
    device = info.pciDevice
    ids = (device.vendorId & 0xFFFF, device.deviceId & 0xFFFF)
    return StaticChoice(device.id, info.systemId, *ids, device.deviceName or "")


def _nvidia(vendor: int) -> bool:
    return vendor & 0xFFFF == NVIDIA


def _vibs(packages: Iterable[Any]) -> Iterator[Vib]:
    return (Vib(each.name, each.version, each.vendor) for each in packages if is_nvidias(each.vendor or ""))


def _vms(row: Row, vms: HostVms) -> tuple[VmOnHost, ...]:
    held = ((vm, vms.devices.get(vm.moref, ())) for vm in vms.rows)
    return tuple(found for vm, devices in held if (found := _vm(str(vm.get("name", vm.moref)), devices)))


def _vm(name: str, devices: Sequence[Any]) -> VmOnHost | None:
    backings = [backing for device in devices if (backing := getattr(device, "backing", None)) is not None]
    profiles = tuple(backing.vgpu for backing in backings if getattr(backing, "vgpu", None))
    passed = tuple(id for backing in backings if (id := _passed(backing)))
    return VmOnHost(name, profiles, passed) if profiles or passed else None


def _passed(backing: Any) -> str | None:
    """PCI id of a device that is passed through: named for a static one, assigned at power-on for a dynamic one."""
    if type(backing).__name__.endswith("VirtualPCIPassthrough.DeviceBackingInfo"):
        return str(backing.id)
    return getattr(backing, "assignedId", None)


def _reserved(vm: Row) -> int:
    return int(vm.get("config.memoryAllocation.reservation", 0)) if vm.get("runtime.powerState") == "poweredOn" else 0


def _size(vm: Row) -> int:
    return int(vm.get("config.hardware.memoryMB", 0))
