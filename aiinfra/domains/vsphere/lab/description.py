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
from aiinfra.facts.gpus import gpu as known_gpu

Description = Mapping[str, Any]

_BUILD: Final = "24022515"
_SUBSYSTEM: Final = 0x1445
"""Of cards whose subsystem id says nothing: any but 0, as real cards have one."""
_FUNCTIONS: Final = 16
_FIRST_BUS, _BUS_STEP = 0x10, 8


def vcenter_description(spec: LabVCenter, *, user: str, password: str) -> Description:
    """What the program reads; `user` and `password` are the only ones that may log in."""
    return {
        "apiVersion": f"{spec.version}.0",
        "version": spec.version,
        "build": _BUILD,
        "user": user,
        "password": password,
        "license": spec.license,
        "settings": dict(spec.settings),
        "delays": dict(spec.delays),
        "datacenters": [_datacenter(name, said) for name, said in spec.datacenters.items()],
        "privileges": {"missing": [one.model_dump() for one in spec.missing_privileges]},
    }


def _datacenter(name: str, said: LabDatacenter) -> Description:
    return {
        "name": name,
        "folders": list(said.folders),
        "networks": list(said.networks),
        "datastores": [
            {"name": own, "capacityMib": store.capacity, "freeMib": store.free, "maintenance": store.maintenance}
            for own, store in said.datastores.items()
        ],
        "clusters": [_cluster(own, cluster) for own, cluster in said.clusters.items()],
        "vms": [_vm(own, vm) for own, vm in said.vms.items()],
    }


def _cluster(name: str, said: LabEsxCluster) -> Description:
    hosts = [_host(f"{group}-{number}", alike) for group, alike in said.hosts.items() for number in range(alike.count)]
    drs = {"enabled": said.drs.enabled, "behavior": said.drs.behavior, "options": dict(said.drs.options)}
    return {"name": name, "drs": drs, "hosts": hosts}


def _host(name: str, said: LabEsxHosts) -> Description:
    return {
        "name": name,
        "version": said.version,
        "build": said.build,
        "license": said.license,
        "memoryMib": said.memory,
        "cpus": said.cpus,
        "defaultGraphicsType": said.default_graphics_type,
        "assignmentPolicy": said.assignment_policy,
        "dns": list(said.dns),
        "ntp": list(said.ntp),
        "ntpRunning": said.ntp_running,
        "vibs": _vibs(said),
        "maintenance": said.maintenance,
        "disconnected": said.disconnected,
        "rebootPending": said.reboot_pending,
        "cards": list(_cards(said)),
        "groups": [
            {"name": group.name, "description": group.description, "profiles": list(group.profiles)}
            for group in said.groups
        ],
    }


def _vibs(said: LabEsxHosts) -> list[Description]:
    if not said.driver:
        return []
    version = f"{said.driver}-1OEM.800.1.0.20613240"
    return [{"name": "NVD-AIE_ESXi_8.0.0_Driver", "version": version, "vendor": "NVIDIA"}]


def _cards(said: LabEsxHosts) -> Iterator[Description]:
    alike = [cards for cards in said.cards for _ in range(cards.count)]
    for number, cards in enumerate(alike):
        yield _card(f"0000:{_FIRST_BUS + number * _BUS_STEP:02x}:00.0", cards, active=not said.reboot_pending)


def _card(pci_id: str, said: LabCards, *, active: bool) -> Description:
    gpu = known_gpu(said.model)
    passed = said.mode == "passthrough"
    own = {
        "pciId": pci_id,
        "name": gpu.nvml_name,
        "vendorId": int(PCI_VENDOR, 16),
        "deviceId": int(gpu.pci_device, 16),
        "subVendorId": int(PCI_VENDOR, 16),
        "subDeviceId": int(gpu.pci_subsystem, 16) if gpu.pci_subsystem else _SUBSYSTEM,
        "memoryMib": gpu.memory_mib,
        "vgpuMode": "mixedSize" if said.mixed_size else "sameSize",
        "migCapable": gpu.mig_capable,
        "mig": said.mig,
        "mixedSize": said.mixed_size,
        "ecc": said.ecc,
        "slices": gpu.mig_slices,
        "passthrough": {"capable": True, "enabled": passed, "active": passed and active, "label": said.label},
        "profiles": list(_profiles(gpu)),
    }
    if gpu.family != "turing":
        own["sriov"] = {"capable": True, "enabled": said.sriov, "active": said.sriov, "functions": _FUNCTIONS}
    return own


def _profiles(gpu: Gpu) -> Iterator[Description]:
    """Types for compute and for workstations; a host lists those of applications and desktops too."""
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


def _vm(name: str, said: LabVm) -> Description:
    return {
        "name": name,
        "folder": said.folder,
        "host": said.host,
        "datastore": said.datastore,
        "template": said.template,
        "hardwareVersion": said.hardware_version,
        "guestId": said.guest,
        "firmware": said.firmware,
        "secureBoot": said.secure_boot,
        "memoryMib": said.memory,
        "cpus": said.cpus,
        "diskMib": list(said.disks),
        "poweredOn": said.powered_on,
        "gpus": list(said.gpus),
        "snapshots": said.snapshots,
        "annotation": said.annotation,
        "extraConfig": dict(said.extra_config),
    }
