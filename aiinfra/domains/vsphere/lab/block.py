"""`lab.vcenter:` of an environment file: the simulated vCenter. All of it has defaults.

Hardware is described, never its consequences: which profiles can be started, what a host lists and what is refused
follow from the cards, from how they are set, and from the VMs that run.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from aiinfra.domains.vsphere.inventory_paths import (
    CLUSTER,
    DATACENTER,
    DATASTORE,
    VM,
    VM_FOLDER,
    Step,
    contradictions,
    name_flaw,
    steps,
)
from aiinfra.facts.gpus import Gpu
from aiinfra.model.lab_model import LabModel
from aiinfra.model.own_gpu import KnownGpu, OwnGpu, described_gpu
from aiinfra.model.units import Size

Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]


def _name(text: str) -> str:
    if flaw := name_flaw(text):
        raise ValueError(flaw)
    return text


def _path(text: str) -> str:
    for name in text.split("/"):
        _name(name)
    return text


Name = Annotated[str, AfterValidator(_name)]
"""A name as vCenter writes it: `%2f` is a slash in it."""
Path = Annotated[str, AfterValidator(_path)]
"""A name, or a path below the folder of such objects: `gpu/cluster-a` is `cluster-a` in the folder `gpu`."""
PciId = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]


class LabCards(LabModel):
    """Cards of a host that are alike."""

    model: KnownGpu | OwnGpu
    """The GPU model by its name in `aiinfra.facts.gpus` (`A100-PCIe-40GB`); one that is not there, by its own row."""
    count: Annotated[int, Field(ge=1, le=16)] = 1
    pci_ids: tuple[PciId, ...] = ()
    """Where they are (`0000:3b:00.0`), instead of count; empty: the lab chooses."""
    mode: Literal["vgpu", "passthrough"] = "vgpu"
    label: str = ""
    """Hardware label of cards that are passed through."""
    mig: bool = False
    mixed_size: bool = False
    """Whether one card takes vGPUs of several sizes."""
    ecc: bool = True
    sriov: bool = True
    """Switched on in the firmware of the host; cards since Ampere need it for vGPUs."""

    @property
    def gpu(self) -> Gpu:
        """The GPU model."""
        found = described_gpu(self.model)
        assert found is not None
        return found

    @property
    def number(self) -> int:
        """How many they are."""
        return len(self.pci_ids) or self.count

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.pci_ids and self.count not in (1, len(self.pci_ids)):
            raise ValueError(f"{len(self.pci_ids)} PCI ids are named for {self.count} cards")
        if not self.model:
            raise ValueError("the name of the GPU model is empty")
        if self.mig and not self.gpu.mig_capable:
            raise ValueError(f"{self.gpu.name} has no MIG")
        if self.mig and self.mixed_size:
            raise ValueError("a card in MIG mode has no mixed-size mode")
        if self.mode == "passthrough" and (self.mig or self.mixed_size):
            raise ValueError("a card that is passed through serves no vGPUs: mig and mixed_size mean nothing")
        if self.label and self.mode != "passthrough":
            raise ValueError("only a card that is passed through has a label")
        return self


class LabDeviceGroup(LabModel):
    """Devices that a host gives as one (vSphere 8): `Nvidia:2@grid_a100-40c%NVLink`."""

    name: Annotated[str, Field(min_length=1)]
    profiles: Annotated[tuple[str, ...], Field(min_length=1)]
    """vGPU profiles of its devices."""
    description: str = ""


class LabEsxHosts(LabModel):
    """ESXi hosts that are alike. Their names are `<group>-0`, `<group>-1`, …, or those of `names`."""

    count: Annotated[int, Field(ge=0, le=1000)] = 1
    names: tuple[Name, ...] = ()
    """Names of hosts, instead of count: `esx01.corp.example`."""
    version: Version = "8.0.3"
    build: Annotated[str, Field(pattern=r"^\d+$")] = "24022510"
    license: str = ""
    """License of these hosts; empty: that of the vCenter."""
    memory: Size = 1024 * 1024
    cpus: Annotated[int, Field(ge=1, le=1024)] = 64
    default_graphics_type: Literal["shared", "sharedDirect"] = "sharedDirect"
    assignment_policy: Literal["performance", "consolidation"] = "performance"
    driver: Annotated[str, Field(pattern=r"^(\d+\.\d+(\.\d+)?)?$")] = "580.65.05"
    """NVIDIA's host driver (vGPU manager); empty: none is installed."""
    dns: tuple[str, ...] = ("10.0.0.53",)
    ntp: tuple[str, ...] = ("10.0.0.123",)
    ntp_running: bool = True
    maintenance: bool = False
    disconnected: bool = False
    reboot_pending: bool = False
    """Cards that are switched to passthrough are not active yet."""
    cards: tuple[LabCards, ...] = (LabCards(model="A100-PCIe-40GB", count=2),)
    groups: tuple[LabDeviceGroup, ...] = ()

    @model_validator(mode="after")
    def _slots(self) -> Self:
        if sum(cards.number for cards in self.cards) > 16:
            raise ValueError("a host has at most 16 cards")
        if self.names and self.count not in (1, len(self.names)):
            raise ValueError(f"{len(self.names)} names are given for {self.count} hosts")
        named = [pci_id for cards in self.cards for pci_id in cards.pci_ids]
        if len(set(named)) != len(named):
            raise ValueError("two cards have the same PCI id")
        return self

    def named(self, group: str) -> list[str]:
        """Return the names of the hosts of this group."""
        return list(self.names) or [f"{group}-{number}" for number in range(self.count)]


class LabDrs(LabModel):
    enabled: bool = True
    behavior: Literal["manual", "partiallyAutomated", "fullyAutomated"] = "fullyAutomated"
    options: Mapping[str, str] = Field(default_factory=lambda: {"VgpuMMAutomationTimeoutSecs": "-1"})


class LabEsxCluster(LabModel):
    drs: LabDrs = LabDrs()
    pools: tuple[Path, ...] = ()
    """Resource pools below the cluster's own, by path: `team-a`, `team-a/training`."""
    hosts: dict[Name, LabEsxHosts] = Field(default_factory=lambda: {"esx": LabEsxHosts(count=2)})

    def host_names(self) -> list[str]:
        return [name for group, hosts in self.hosts.items() for name in hosts.named(group)]


class LabDatastore(LabModel):
    capacity: Size = 4 * 1024 * 1024
    free: Size = 2 * 1024 * 1024
    maintenance: bool = False

    @model_validator(mode="after")
    def _not_more_than_all(self) -> Self:
        if self.free > self.capacity:
            raise ValueError("free is more than capacity")
        return self


class LabVm(LabModel):
    """A VM, or a template that others are made from."""

    folder: str = ""
    """Path of its folder, one of `folders`; empty: the folders that its name has, or the datacenter's own."""
    host: str = ""
    """Name of its host; empty: the first host of the datacenter."""
    datastore: str = ""
    """Its datastore, as `datastores` names it; empty: the first of the datacenter."""
    template: bool = False
    hardware_version: Annotated[int, Field(ge=9, le=22)] = 15
    guest: str = "rhel9_64Guest"
    firmware: Literal["bios", "efi"] = "efi"
    secure_boot: bool = False
    memory: Size = 16 * 1024
    cpus: Annotated[int, Field(ge=1)] = 4
    disks: tuple[Size, ...] = (16 * 1024,)
    powered_on: bool = False
    gpus: tuple[str, ...] = ()
    """vGPU profiles, one for each device."""
    snapshots: Annotated[int, Field(ge=0)] = 0
    annotation: str = ""
    extra_config: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _templates_are_off(self) -> Self:
        if self.template and self.powered_on:
            raise ValueError("a template cannot be powered on")
        if self.secure_boot and self.firmware != "efi":
            raise ValueError("secure boot needs firmware efi")
        return self


class LabDatacenter(LabModel):
    """Datastores, clusters and VMs are named by paths such as `prod/gpu`; the folders in them are made."""

    folders: tuple[Path, ...] = ("templates",)
    """Folders of VMs, below `vm`: `templates`, `team/templates`."""
    networks: tuple[str, ...] = ("VM Network",)
    datastores: dict[Path, LabDatastore] = Field(default_factory=lambda: {"ssd": LabDatastore()}, min_length=1)
    clusters: dict[Path, LabEsxCluster] = Field(default_factory=lambda: {"gpu": LabEsxCluster()})
    vms: dict[Path, LabVm] = Field(default_factory=lambda: {"rhcos": LabVm(folder="templates", template=True)})

    @model_validator(mode="after")
    def _places_exist(self) -> Self:
        hosts = [name for cluster in self.clusters.values() for name in cluster.host_names()]
        if len(set(hosts)) != len(hosts):
            raise ValueError("two hosts have the same name")
        above = {path[:end] for path in self.folders for end, letter in enumerate(f"{path}/") if letter == "/"}
        for name, vm in self.vms.items():
            for field, place, known in (
                ("host", vm.host, hosts),
                ("folder", vm.folder, above),
                ("datastore", vm.datastore, self.datastores),
            ):
                if place and place not in known:
                    raise ValueError(f"vms.{name}.{field}: there is no {field} {place!r}")
        if self.vms and not hosts:
            raise ValueError("there are VMs, and no host for them")
        if flaw := next(contradictions(self._steps()), ""):
            raise ValueError(flaw)
        return self

    def vm_path(self, name: str) -> str:
        """Return where a VM of `vms` is, below the datacenter's folder of VMs."""
        return f"{self.vms[name].folder}/{name}".strip("/")

    def _steps(self) -> Iterator[Step]:
        for folder in self.folders:
            yield from steps(f"/vm/{folder}", VM_FOLDER, "/vm")
        for name in self.vms:
            yield from steps(f"/vm/{self.vm_path(name)}", VM, "/vm")
        for name in self.clusters:
            yield from steps(f"/host/{name}", CLUSTER, "/host")
        for name in self.datastores:
            yield from steps(f"/datastore/{name}", DATASTORE, "/datastore")


class LabMissingPrivilege(LabModel):
    """A privilege that the account lacks at this inventory path and below it."""

    privilege: str
    path: Annotated[str, Field(pattern=r"^/")]


class LabVCenter(LabModel):
    version: Version = "8.0.3"
    license: str = "VMware vSphere 8 Enterprise Plus"
    """License of hosts that name no other."""
    settings: Mapping[str, str] = Field(default_factory=lambda: {"vgpu.hotmigrate.enabled": "true"})
    delays: Mapping[str, Annotated[int, Field(ge=0, le=600_000)]] = Field(default_factory=dict)
    """Milliseconds by SOAP method (`CloneVM_Task`); `*` is every method."""
    missing_privileges: tuple[LabMissingPrivilege, ...] = ()
    datacenters: dict[Path, LabDatacenter] = Field(default_factory=lambda: {"dc1": LabDatacenter()}, min_length=1)
    """By path below the root folder: `dc1`, `europe/dc1`."""

    @model_validator(mode="after")
    def _one_object_at_each_path(self) -> Self:
        written = (step for name in self.datacenters for step in steps(f"/{name}", DATACENTER))
        if flaw := next(contradictions(written), ""):
            raise ValueError(flaw)
        return self


def vcenter_field() -> tuple[Any, Any]:
    """Return type and field of the key `vcenter` of `lab:`."""
    text = "Started when a stack works in a vCenter; one that is not described has one cluster with two hosts."
    return LabVCenter | None, Field(default=None, description=text)
