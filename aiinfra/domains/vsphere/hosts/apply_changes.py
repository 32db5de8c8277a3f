"""Makes the planned changes on hosts, and no others."""

from __future__ import annotations

from collections.abc import Sequence

from pyVmomi import vim

from aiinfra.domains.vsphere.client.properties import one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.hosts.changes import SHARED_DIRECT, HostChange, SetGraphics, SetPassthrough


def apply(vcenter: VCenter, changes: Sequence[HostChange]) -> None:
    """Make the changes. Raises `VSphereError`, naming the host."""
    for change in changes:
        vcenter.say(f"setting {change}")
        match change:
            case SetGraphics():
                _set_graphics(vcenter, change)
            case SetPassthrough():
                _set_passthrough(vcenter, change)


def _set_graphics(vcenter: VCenter, change: SetGraphics) -> None:
    """Set graphics types; the policy, other devices and mixed-size modes stay as they are."""
    host = vcenter.object(change.moref, "HostSystem")
    row = one(vcenter, host, ["config.graphicsConfig", "configManager.graphicsManager"])
    now = row.get("config.graphicsConfig") if row else None
    kind = vim.host.GraphicsConfig.DeviceType
    devices = {device.deviceId: device for device in getattr(now, "deviceType", None) or ()}
    for id in change.cards:
        devices.setdefault(id, kind(deviceId=id)).graphicsType = SHARED_DIRECT
    config = vim.host.GraphicsConfig(
        hostDefaultGraphicsType=SHARED_DIRECT,
        sharedPassthruAssignmentPolicy=getattr(now, "sharedPassthruAssignmentPolicy", None) or "performance",
        deviceType=list(devices.values()),
    )
    if row is not None:
        row.get("configManager.graphicsManager").UpdateGraphicsConfig(config)


def _set_passthrough(vcenter: VCenter, change: SetPassthrough) -> None:
    host = vcenter.object(change.moref, "HostSystem")
    row = one(vcenter, host, ["configManager.pciPassthruSystem"])
    config = vim.host.PciPassthruConfig(id=change.pci_id, passthruEnabled=True, applyNow=True)
    if change.label:
        config.hardwareLabel = change.label
    if row is not None:
        row.get("configManager.pciPassthruSystem").UpdatePassthruConfig([config])
