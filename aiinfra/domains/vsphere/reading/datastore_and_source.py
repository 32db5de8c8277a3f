"""The datastore and the source of a template, as values, from their properties. Sends no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiinfra.domains.vsphere.client.properties import Row
from aiinfra.domains.vsphere.reading.inventory import Entity
from aiinfra.domains.vsphere.reading.observed import Datastore, Source

DATASTORE_PATHS: Final = ("summary.capacity", "summary.freeSpace", "summary.accessible", "summary.maintenanceMode")
SOURCE_PATHS: Final = (
    "config.template",
    "config.version",
    "config.guestId",
    "config.firmware",
    "config.bootOptions.efiSecureBootEnabled",
    "config.hardware.device",
    "runtime.powerState",
    "runtime.connectionState",
    "snapshot.rootSnapshotList",
)


def datastore(entity: Entity) -> Datastore:
    row = entity.row
    return Datastore(
        moref=entity.moref,
        path=entity.path,
        name=entity.name,
        capacity_mib=int(row.get("summary.capacity", 0)) >> 20,
        free_mib=None if (free := row.get("summary.freeSpace")) is None else int(free) >> 20,
        accessible=row.get("summary.accessible"),
        maintenance=row.get("summary.maintenanceMode", "normal") != "normal",
        unread=_why(row, {"free_mib": "summary.freeSpace", "accessible": "summary.accessible"}),
    )


def source(row: Row, path: str) -> Source:
    return Source(
        moref=row.moref,
        path=path,
        is_template=bool(row.get("config.template")),
        powered_on=row.get("runtime.powerState") == "poweredOn",
        hardware_version=_number(row.get("config.version")),
        guest_id=row.get("config.guestId"),
        firmware=row.get("config.firmware"),
        secure_boot=bool(row.get("config.bootOptions.efiSecureBootEnabled")),
        disk_mib=None if (devices := row.get("config.hardware.device")) is None else tuple(_disks(devices)),
        snapshots=_count(row.get("snapshot.rootSnapshotList", ())),
        connected=row.get("runtime.connectionState", "connected") == "connected",
        unread=_why(row, _SOURCE_FIELDS),
    )


_SOURCE_FIELDS: Final = {
    "hardware_version": "config.version",
    "guest_id": "config.guestId",
    "firmware": "config.firmware",
    "disk_mib": "config.hardware.device",
}


def _why(row: Row, places: Mapping[str, str]) -> dict[str, str]:
    """Return why properties could not be read, by field."""
    return {name: row.unread[place] for name, place in places.items() if place in row.unread}


def _number(version: str | None) -> int | None:
    """Return 17 for `vmx-17`; None when there is no number."""
    digits = (version or "").rpartition("-")[2]
    return int(digits) if digits.isdigit() else None


def _disks(devices: Sequence[Any]) -> list[int]:
    return [device.capacityInKB >> 10 for device in devices if type(device).__name__.endswith(".VirtualDisk")]


def _count(trees: Sequence[Any]) -> int:
    return sum(1 + _count(tree.childSnapshotList or ()) for tree in trees)
