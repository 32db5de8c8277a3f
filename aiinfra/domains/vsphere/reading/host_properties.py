"""One host as a value, from its properties and answers. Sends no request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.properties import Row
from aiinfra.domains.vsphere.facts.vgpu_manager import is_nvidias
from aiinfra.domains.vsphere.reading.gpu_holders import (
    BINDINGS,
    GRAPHICS,
    NVIDIA,
    PASSTHROUGH,
    PCI,
    VMS,
    HostVms,
    holding,
    is_gpu,
    reserved,
    unseen,
)
from aiinfra.domains.vsphere.reading.observed import (
    Card,
    DeviceGroup,
    Host,
    PassthroughChoice,
    PassthroughState,
    Sharing,
    StaticChoice,
    VgpuProfile,
    Vib,
)

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
_CONNECTED, _SERVICES, _MEMORY = "runtime.connectionState", "config.service.service", "hardware.memorySize"
HOST_PATHS: Final = (
    "name",
    "runtime.inMaintenanceMode",
    "datastore",
    VMS,
    "configManager.imageConfigManager",
    *(_CONNECTED, PCI, GRAPHICS, PASSTHROUGH, _SERVICES, _MEMORY, BINDINGS),
    *_FIELDS.values(),
    *_LISTS.values(),
)
NOT_REPORTED: Final = "vCenter does not tell it"
OFFERS: Final = ("profiles", "dynamic", "static", "groups")
"""Fields of a host that its ConfigTarget answers."""


@dataclass(frozen=True, slots=True)
class HostAnswers:
    """Answers of one host besides its properties. None: no answer; `unread` has the reason by field."""

    target: Any = None
    """`vim.vm.ConfigTarget`."""
    packages: Sequence[Any] | None = None
    """`vim.host.SoftwarePackage`s."""
    unread: Mapping[str, str] = field(default_factory=dict)
    offers_nothing: bool = False
    """Whether it was not asked, because it has no GPU."""
    edition: str | None = None
    """Name of its licence."""


def connected(row: Row) -> bool:
    return str(row.get(_CONNECTED)) == "connected"


def away(row: Row) -> str:
    return row.unread.get(_CONNECTED) or f"the host is {row.get(_CONNECTED, 'not connected')}"


def has_gpus(row: Row) -> bool:
    """Whether the host has GPUs; also true when its devices could not be read."""
    return PCI not in row.values or any(is_gpu(device) for device in row.get(PCI))


def host(row: Row, cluster: str, asked: HostAnswers, vms: HostVms) -> Host:
    """Return the host. `cluster` is an inventory path; `unread` holds the reason for each field that is None."""
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
        cards=_cards(row, vms.names()),
        ntp_running=_ntp(row),
        vms=holding(vms),
        memory_mib=memory,
        memory_free_mib=max(0, memory - sum(map(reserved, vms.rows))),
        datastores=tuple(store._moId for store in row.get("datastore", ())),
        vibs=None if asked.packages is None else tuple(_vibs(asked.packages)),
        unread={**_unread(row), **_unread_parts(row), **unseen(row, vms), **asked.unread},
        **(dict.fromkeys(OFFERS, ()) if asked.offers_nothing else _offers(asked.target)),
        **fields,
    )


def _unread(row: Row) -> Mapping[str, str]:
    places = {**_FIELDS, "ntp_running": _SERVICES, "cards": PCI}
    places |= {name: place for name, place in _LISTS.items() if _listed(row, place) is None}
    why = NOT_REPORTED if connected(row) else away(row)
    return {name: row.unread.get(place, why) for name, place in places.items() if place not in row.values}


def _unread_parts(row: Row) -> Mapping[str, str]:
    """Return why facts without a field of their own are missing."""
    places = {
        "connected": _CONNECTED,
        "graphics": GRAPHICS,
        "passthrough": PASSTHROUGH,
        "memory": _MEMORY,
        "datastores": "datastore",
    }
    return {name: row.unread[place] for name, place in places.items() if place in row.unread}


def _listed(row: Row, place: str) -> tuple[str, ...] | None:
    """Return a list of the host, empty when it is unset; None when its configuration is not known."""
    if place in row.values:
        return tuple(map(str, row.get(place)))
    return () if "config.product.version" in row.values and place not in row.unread else None


def _cards(row: Row, names: Mapping[str, str]) -> tuple[Card, ...]:
    graphics = {info.pciId: info for info in row.get(GRAPHICS, ())}
    passthrough = {info.id: info for info in row.get(PASSTHROUGH, ())}
    found = (device for device in row.get(PCI, ()) if is_gpu(device))
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
