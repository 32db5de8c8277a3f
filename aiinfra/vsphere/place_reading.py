"""The datastore and the source of a template, out of what a vCenter answers about them. Asks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiinfra.vsphere.inventory import Entity
from aiinfra.vsphere.properties import Row
from aiinfra.vsphere.readings import Datastore, Source

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
        free_mib=int(row.get("summary.freeSpace", 0)) >> 20,
        accessible=bool(row.get("summary.accessible")),
        maintenance=row.get("summary.maintenanceMode", "normal") != "normal",
    )


def source(row: Row, path: str) -> Source:
    return Source(
        moref=row.moref,
        path=path,
        is_template=bool(row.get("config.template")),
        powered_on=row.get("runtime.powerState") == "poweredOn",
        hardware_version=int(str(row.get("config.version", "")).rpartition("-")[2] or 0),
        guest_id=str(row.get("config.guestId", "")),
        firmware=str(row.get("config.firmware", "")),
        secure_boot=bool(row.get("config.bootOptions.efiSecureBootEnabled")),
        disk_mib=tuple(_disks(row.get("config.hardware.device", ()))),
        snapshots=_count(row.get("snapshot.rootSnapshotList", ())),
        connected=row.get("runtime.connectionState") == "connected",
    )


def _disks(devices: Sequence[Any]) -> list[int]:
    return [device.capacityInKB >> 10 for device in devices if type(device).__name__.endswith(".VirtualDisk")]


def _count(trees: Sequence[Any]) -> int:
    return sum(1 + _count(tree.childSnapshotList or ()) for tree in trees)
