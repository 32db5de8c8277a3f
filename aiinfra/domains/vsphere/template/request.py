"""What a stack asks for, as it stands in the inputs of a `GpuTemplate`: a tree in, typed parts out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiinfra.domains.vsphere.checks.wanted import Mode, WantedVm
from aiinfra.domains.vsphere.hosts.profiles import WantedProfile
from aiinfra.domains.vsphere.reading.observed import Sharing, SiteWanted
from aiinfra.domains.vsphere.reading.paths import absolute
from aiinfra.domains.vsphere.reading.privileges import needed
from aiinfra.domains.vsphere.template.desired import Owner
from aiinfra.facts.gpus import gpu

_SHARING: Mapping[str, Sharing] = {"vgpu": "timeSliced", "mig": "mig"}


@dataclass(frozen=True, slots=True)
class Ova:
    """An image to import."""

    path: str
    sha256: str
    network: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One template for one failure domain."""

    owner: Owner
    failure_domain: str
    datacenter: str
    cluster: str
    datastore: str
    folder: str
    resource_pool: str
    source: str | Ova
    gpu: Mapping[str, Any]
    cpus: int
    cores_per_socket: int
    memory_mib: int
    hardware_version: int
    mmio: int | Literal["auto"]
    extra_config: Mapping[str, str]
    guest_driver: str = ""
    manage_hosts: bool = False
    wait_for_mig: bool = False
    power_on: bool = False

    @property
    def mode(self) -> Mode:
        mode: Mode = self.gpu["mode"]
        return mode

    @property
    def count(self) -> int:
        """Devices in one VM."""
        ids = self.gpu.get("pci_ids")
        return len(ids) if ids else int(self.gpu.get("count") or 1)

    def site(self) -> SiteWanted:
        """What is to be read of the vCenter."""
        imported = isinstance(self.source, Ova)
        return SiteWanted(
            datacenter=self.datacenter,
            cluster=self.cluster,
            datastore=self.datastore,
            folder=self.folder,
            source="" if isinstance(self.source, Ova) else self.source,
            privileges=needed(imported=imported, power_on=self.power_on),
        )

    def vm(self) -> WantedVm:
        """What a VM of it asks of the hosts."""
        told, profile = self.gpu, self._profile()
        model = gpu(told["model"]) if told.get("model") else None
        return WantedVm(
            mode=self.mode,
            count=self.count,
            memory_mib=self.memory_mib,
            hardware_version=self.hardware_version,
            profile=profile,
            gpu=model if profile is None else None,
            label=told.get("label") or "",
            host=told.get("host") or "",
            pci_ids=tuple(told.get("pci_ids") or ()),
            group=told.get("group") or "",
            guest_driver=self.guest_driver,
            manage_hosts=self.manage_hosts,
            wait_for_mig=self.wait_for_mig,
            power_on=self.power_on,
            source="" if isinstance(self.source, Ova) else absolute(self.source, self.datacenter, "vm"),
        )

    def _profile(self) -> WantedProfile | None:
        told = self.gpu
        if self.mode not in _SHARING:
            return None
        model = gpu(told["model"]) if told.get("model") else None
        gibibytes = -(-int(told.get("memory") or 0) // 1024)
        return WantedProfile(_SHARING[self.mode], told.get("profile") or "", model, gibibytes)


def request_of(owner: Mapping[str, str], wanted: Mapping[str, Any], **flags: Any) -> Request:
    """Reads the tree that the kind's program writes. Numbers may be floats, as Pulumi has no others."""
    place, source, mmio = wanted["place"], wanted["source"], wanted["mmio"]
    return Request(
        owner=Owner(owner["environment"], owner["environment_id"], owner["stack"]),
        failure_domain=wanted["failure_domain"],
        datacenter=place["datacenter"],
        cluster=place["cluster"],
        datastore=place["datastore"],
        folder=place.get("folder") or "",
        resource_pool=place.get("resource_pool") or "",
        source=source if isinstance(source, str) else Ova(source["ova"], source["sha256"], source.get("network") or ""),
        gpu=wanted["gpu"],
        cpus=int(wanted["cpus"]),
        cores_per_socket=int(wanted["cores_per_socket"]),
        memory_mib=int(wanted["memory_mib"]),
        hardware_version=int(wanted["hardware_version"]),
        mmio=mmio if mmio == "auto" else int(mmio),
        extra_config=dict(wanted.get("extra_config") or {}),
        **flags,
    )
