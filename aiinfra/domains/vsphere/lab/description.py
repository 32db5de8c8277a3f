"""From `lab.vcenter` of an environment file to the description that the lab's vCenter is started with. Pure.

The program is the folder `server` beside this file (Go); `description.go` there is the other side of the format, and
refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiinfra.domains.vsphere.facts.vgpu import BY_GPU, VgpuType
from aiinfra.domains.vsphere.lab.block import LabCards, LabDatacenter, LabEsxCluster, LabEsxHosts, LabVCenter, LabVm
from aiinfra.facts.gpus import PCI_VENDOR, Gpu

Description = Mapping[str, Any]

_BUILD: Final = "24022515"
_SUBSYSTEM: Final = 0x1445
"""Subsystem id of cards for which it says nothing: any but 0, as real cards have one."""
_FUNCTIONS: Final = 16
_FIRST_BUS, _BUS_STEP = 0x10, 8
_SLOTS: Final = 30
"""More than the 16 cards of a host, as some may be named."""


def vcenter_description(spec: LabVCenter, *, user: str, password: str) -> Description:
    """Return the description that the program reads; `user` and `password` are the only ones that may log in."""
    return {
        "apiVersion": f"{spec.version}.0",
        "version": spec.version,
        "build": _BUILD,
        "user": user,
        "password": password,
        "license": spec.license,
        "settings": dict(spec.settings),
        "delays": dict(spec.delays),
        "datacenters": [_datacenter(name, one) for name, one in spec.datacenters.items()],
        "privileges": {"missing": [one.model_dump() for one in spec.missing_privileges]},
    }


def _datacenter(name: str, spec: LabDatacenter) -> Description:
    return {
        "name": name,
        "folders": list(spec.folders),
        "networks": list(spec.networks),
        "datastores": [
            {"name": own, "capacityMib": store.capacity, "freeMib": store.free, "maintenance": store.maintenance}
            for own, store in spec.datastores.items()
        ],
        "clusters": [_cluster(own, cluster) for own, cluster in spec.clusters.items()],
        "vms": [_vm(spec.vm_path(own), vm) for own, vm in spec.vms.items()],
    }


def _cluster(name: str, spec: LabEsxCluster) -> Description:
    hosts = [_host(own, alike) for group, alike in spec.hosts.items() for own in alike.named(group)]
    drs = {"enabled": spec.drs.enabled, "behavior": spec.drs.behavior, "options": dict(spec.drs.options)}
    return {"name": name, "drs": drs, "pools": list(spec.pools), "hosts": hosts}


def _host(name: str, spec: LabEsxHosts) -> Description:
    return {
        "name": name,
        "version": spec.version,
        "build": spec.build,
        "license": spec.license,
        "memoryMib": spec.memory,
        "cpus": spec.cpus,
        "defaultGraphicsType": spec.default_graphics_type,
        "assignmentPolicy": spec.assignment_policy,
        "dns": list(spec.dns),
        "ntp": list(spec.ntp),
        "ntpRunning": spec.ntp_running,
        "vibs": _vibs(spec),
        "maintenance": spec.maintenance,
        "disconnected": spec.disconnected,
        "rebootPending": spec.reboot_pending,
        "cards": list(_cards(spec)),
        "groups": [
            {"name": group.name, "description": group.description, "profiles": list(group.profiles)}
            for group in spec.groups
        ],
    }


def _vibs(spec: LabEsxHosts) -> list[Description]:
    if not spec.driver:
        return []
    version = f"{spec.driver}-1OEM.800.1.0.20613240"
    return [{"name": "NVD-AIE_ESXi_8.0.0_Driver", "version": version, "vendor": "NVD"}]


def _cards(spec: LabEsxHosts) -> Iterator[Description]:
    named = {pci_id for cards in spec.cards for pci_id in cards.pci_ids}
    slots = (f"0000:{_FIRST_BUS + number * _BUS_STEP:02x}:00.0" for number in range(_SLOTS))
    unused = (slot for slot in slots if slot not in named)
    for cards in spec.cards:
        for pci_id in cards.pci_ids or [next(unused) for _ in range(cards.count)]:
            yield _card(pci_id, cards, active=not spec.reboot_pending)


def _card(pci_id: str, spec: LabCards, *, active: bool) -> Description:
    gpu = spec.gpu
    passed = spec.mode == "passthrough"
    own = {
        "pciId": pci_id,
        "name": gpu.nvml_name,
        "vendorId": int(PCI_VENDOR, 16),
        "deviceId": int(gpu.pci_device, 16),
        "subVendorId": int(PCI_VENDOR, 16),
        "subDeviceId": int(gpu.pci_subsystem, 16) if gpu.pci_subsystem else _SUBSYSTEM,
        "memoryMib": gpu.memory_mib,
        "vgpuMode": "mixedSize" if spec.mixed_size else "sameSize",
        "migCapable": gpu.mig_capable,
        "mig": spec.mig,
        "mixedSize": spec.mixed_size,
        "ecc": spec.ecc,
        "slices": gpu.mig_slices,
        "passthrough": {"capable": True, "enabled": passed, "active": passed and active, "label": spec.label},
        "profiles": list(_profiles(gpu)),
    }
    if gpu.family not in ("pascal", "volta", "turing"):
        own["sriov"] = {"capable": True, "enabled": spec.sriov, "active": spec.sriov, "functions": _FUNCTIONS}
    return own


def _profiles(gpu: Gpu) -> Iterator[Description]:
    """Yield the types for compute and workstations; real hosts list those of applications and desktops too."""
    family = BY_GPU.get(gpu.name)
    for suffix, most in {**family.time_sliced, **family.mig}.items() if family else ():
        kind = VgpuType.of(suffix)
        if family is None or kind is None:
            continue
        own = {
            "name": f"grid_{family.name}-{suffix}".lower(),
            "frameBufferGib": kind.size_gb,
            "sharing": "mig" if kind.slices else "timeSliced",
            "class": "quadro" if kind.series == "Q" else "compute",
            "max": most,
        }
        yield {**own, "slices": kind.slices} if kind.slices else own


def _vm(path: str, spec: LabVm) -> Description:
    folder, _, name = path.rpartition("/")
    return {
        "name": name,
        "folder": folder,
        "host": spec.host,
        "datastore": spec.datastore,
        "template": spec.template,
        "hardwareVersion": spec.hardware_version,
        "guestId": spec.guest,
        "firmware": spec.firmware,
        "secureBoot": spec.secure_boot,
        "memoryMib": spec.memory,
        "cpus": spec.cpus,
        "diskMib": list(spec.disks),
        "poweredOn": spec.powered_on,
        "gpus": list(spec.gpus),
        "snapshots": spec.snapshots,
        "annotation": spec.annotation,
        "extraConfig": dict(spec.extra_config),
    }
