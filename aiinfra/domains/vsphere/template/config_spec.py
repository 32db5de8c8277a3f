"""Between a `TemplateContent` and the vim types: what is sent to a VM, and what is read back from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pyVmomi import vim

from aiinfra.domains.vsphere.marks import Owner
from aiinfra.domains.vsphere.template.content import (
    HARDWARE_VERSION,
    TEMPLATE,
    Device,
    DynamicPassthrough,
    StaticPassthrough,
    TemplateContent,
    Value,
    Vgpu,
)

Passthrough = vim.vm.device.VirtualPCIPassthrough
READ_BACK: Final = (
    "name",
    "config.template",
    "config.instanceUuid",
    "config.firmware",
    "config.bootOptions.efiSecureBootEnabled",
    "config.version",
    "config.hardware.numCPU",
    "config.hardware.numCoresPerSocket",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "config.memoryReservationLockedToMax",
    "config.memoryAllocation.reservation",
    "config.cpuHotAddEnabled",
    "config.memoryHotAddEnabled",
    "config.flags.diskUuidEnabled",
    "config.extraConfig",
    "runtime.powerState",
)
"""Property paths of a VM that `settings_of` and `marks_of` read."""
DEVICE_GROUPS: Final = "config.deviceGroups"
"""Property path that is read only where the API has it: 8.0 and newer."""
FIRST_KEY: Final = -200
"""First key of new devices; they have negative keys, each its own."""


def marking(owner: Owner, marks: Mapping[str, str]) -> vim.vm.ConfigSpec:
    """Return what the clone call itself sets: the marks, so that an incomplete clone is known as ours."""
    spec = vim.vm.ConfigSpec()
    spec.annotation = f"GPU template of stack {owner.stack} in environment {owner.environment}, made by aiinfra"
    spec.extraConfig = _options({**owner.marks(), **marks})
    return spec


def configuring(
    content: TemplateContent, present: Sequence[Any], marks: Mapping[str, str], *, groups: bool = False
) -> vim.vm.ConfigSpec:
    """Return all settings of a template, for one call.

    `present` are the VM's devices: GPUs among them are removed first. `groups` says that the API knows device groups.
    """
    spec = vim.vm.ConfigSpec()
    spec.numCPUs, spec.numCoresPerSocket = content.cpus, content.cores_per_socket
    spec.memoryMB = content.memory_mib
    spec.memoryReservationLockedToMax = True
    spec.memoryAllocation = vim.ResourceAllocationInfo(reservation=content.memory_mib)
    spec.firmware = "efi"
    spec.bootOptions = vim.vm.BootOptions(efiSecureBootEnabled=False)
    spec.cpuHotAddEnabled, spec.memoryHotAddEnabled = False, False
    spec.flags = vim.vm.FlagInfo(diskUuidEnabled=True)
    spec.extraConfig = _options({**content.keys(), **marks})
    spec.deviceChange = [*_removals(present), *_additions(content.devices)]
    if groups and content.device_groups:
        spec.deviceGroups = _groups(content.device_groups)
    return spec


def _removals(present: Sequence[Any]) -> Iterator[Any]:
    for device in present:
        if isinstance(device, Passthrough):
            yield vim.vm.device.VirtualDeviceSpec(operation="remove", device=device)


def _additions(devices: Sequence[Device]) -> Iterator[Any]:
    for number, device in enumerate(devices):
        made = Passthrough(key=FIRST_KEY - number, backing=_backing(device))
        yield vim.vm.device.VirtualDeviceSpec(operation="add", device=made)


def _backing(device: Device) -> Any:
    match device:
        case Vgpu(profile):
            return Passthrough.VmiopBackingInfo(vgpu=profile)
        case DynamicPassthrough(vendor_id, device_id, label):
            allowed = Passthrough.AllowedDevice(vendorId=vendor_id, deviceId=device_id)
            return Passthrough.DynamicBackingInfo(deviceName="", allowedDevice=[allowed], customLabel=label or None)
        case StaticPassthrough(pci_id, vendor_id, device_id, system_id, name):
            return Passthrough.DeviceBackingInfo(
                deviceName=name, id=pci_id, deviceId=f"{device_id:x}", systemId=system_id, vendorId=_short(vendor_id)
            )


def _short(number: int) -> int:
    """Return a number as the API has it: a signed short."""
    return number - 0x10000 if number > 0x7FFF else number


def _groups(names: Sequence[str]) -> Any:
    instances = [
        vim.vm.VirtualDeviceGroups.VendorDeviceGroup(groupInstanceKey=key, deviceGroupName=name)
        for key, name in enumerate(names, start=1)
    ]
    return vim.vm.VirtualDeviceGroups(deviceGroup=instances)


def _options(keys: Mapping[str, str]) -> list[Any]:
    return [vim.option.OptionValue(key=key, value=value) for key, value in keys.items()]


def settings_of(row: Mapping[str, Any]) -> dict[str, Value]:
    """Return a VM's settings by the names of `TemplateContent.settings`; what was not read is absent."""
    version = str(row.get("config.version") or "")
    gpus = [gpu for gpu in map(device_of, row.get("config.hardware.device") or ()) if gpu]
    groups = getattr(row.get(DEVICE_GROUPS), "deviceGroup", None) or ()
    return {
        TEMPLATE: bool(row.get("config.template")),
        "name": row.get("name"),
        "firmware": row.get("config.firmware"),
        "secure boot": bool(row.get("config.bootOptions.efiSecureBootEnabled")),
        HARDWARE_VERSION: int(version.removeprefix("vmx-")) if version.startswith("vmx-") else None,
        "CPUs": row.get("config.hardware.numCPU"),
        "cores per socket": row.get("config.hardware.numCoresPerSocket"),
        "memory MiB": row.get("config.hardware.memoryMB"),
        "memory reservation locked": bool(row.get("config.memoryReservationLockedToMax")),
        "memory reservation MiB": row.get("config.memoryAllocation.reservation"),
        "CPU hot add": bool(row.get("config.cpuHotAddEnabled")),
        "memory hot add": bool(row.get("config.memoryHotAddEnabled")),
        "disk UUID": bool(row.get("config.flags.diskUuidEnabled")),
        "GPU devices": tuple(sorted(map(str, gpus))),
        "device groups": tuple(sorted(str(group.deviceGroupName) for group in groups)),
        **{f"extraConfig {key}": value for key, value in keys_of(row).items()},
    }


def keys_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the VM's extraConfig, marks included."""
    return {option.key: str(option.value) for option in row.get("config.extraConfig") or ()}


def device_of(device: Any) -> Device | None:
    """Return a GPU of a VM as a value; None for any other device."""
    backing = getattr(device, "backing", None)
    if not isinstance(device, Passthrough):
        return None
    if isinstance(backing, Passthrough.VmiopBackingInfo):
        return Vgpu(backing.vgpu or "")
    if isinstance(backing, Passthrough.DynamicBackingInfo):
        allowed = (
            backing.allowedDevice[0] if backing.allowedDevice else Passthrough.AllowedDevice(vendorId=0, deviceId=0)
        )
        return DynamicPassthrough(allowed.vendorId & 0xFFFF, allowed.deviceId & 0xFFFF, backing.customLabel or "")
    if isinstance(backing, Passthrough.DeviceBackingInfo):
        number = int(backing.deviceId or "0", 16) & 0xFFFF
        return StaticPassthrough(
            backing.id, (backing.vendorId or 0) & 0xFFFF, number, backing.systemId or "", backing.deviceName or ""
        )
    return None
