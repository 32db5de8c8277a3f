"""The spec of one VM template with GPUs: what somebody wants, before any host was asked.

It is validated where it enters: once from the environment file, whose kind uses these models as field types, and once
in the provider, from what the program's resource dumped. Everything behind either border works on the typed value.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from aiinfra.domains.vsphere.inventory_paths import absolute
from aiinfra.facts.gpus import PCI_VENDOR, Gpu, UnknownGpu
from aiinfra.facts.gpus import gpu as known_gpu
from aiinfra.model.units import Size
from aiinfra.stack import Inputs

Mode = Literal["vgpu", "mig", "passthrough", "static_passthrough", "device_group"]


def _model(name: str) -> str:
    """Return the GPU by the name of our table, in any case. Raises `ValueError` with the names that are known."""
    try:
        return known_gpu(name).name if name else ""
    except UnknownGpu as error:
        raise ValueError(error.sentence) from error


Model = Annotated[str, AfterValidator(_model)]
"""A GPU model such as `A100-PCIe-40GB`."""
Count = Annotated[int, Field(ge=1, le=16)]
"""Devices in one VM; vSphere takes at most 16 PCI passthrough devices."""
PciId = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]
DUMPED: Final = "dumped"
"""In the context of a validation: the tree was dumped, so that sizes in it are numbers of MiB."""


def _with_unit(raw: object, info: ValidationInfo) -> object:
    """Return a dumped size with its unit. A size without a unit in a file stays as it is, and is refused."""
    dumped = (info.context or {}).get(DUMPED) is True
    return f"{int(raw)}MiB" if dumped and isinstance(raw, int | float) else raw


Memory = Annotated[Size, BeforeValidator(_with_unit)]
"""MiB; people write `20GiB`."""


class VgpuDevices(Inputs):
    """vGPUs: `vgpu` shares the card by time, `mig` gives each VM its own slice of it."""

    mode: Literal["vgpu", "mig"]
    profile: str = ""
    """A profile by the name that the hosts list: `grid_a100-40c`."""
    model: Model = ""
    """Instead of a profile: the GPU model, with `memory`; the smallest profile that is large enough is chosen."""
    memory: Memory | None = None
    """Least memory of each device: `20GiB`."""
    count: Count = 1

    @property
    def gpu(self) -> Gpu | None:
        """The GPU model; None when a profile is named instead."""
        return known_gpu(self.model) if self.model else None


class PassthroughDevices(Inputs):
    """Whole cards by dynamic DirectPath I/O: placement finds a host that has them free."""

    mode: Literal["passthrough"]
    model: Model = ""
    pci_device: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{4})?$")] = ""
    """Instead of a model that has a name here: the four hexadecimal digits behind `10de:` in `lspci -nn`."""
    memory: Memory | None = None
    """Memory of each card, beside pci_device: `24GiB`. The MMIO space is computed from it."""
    label: str = ""
    """Hardware label that the cards must have on the hosts."""
    count: Count = 1

    @property
    def gpu(self) -> Gpu:
        """The GPU model; one that is given by its PCI device has the name `10de:2203`."""
        if self.model:
            return known_gpu(self.model)
        name = f"{PCI_VENDOR}:{self.pci_device.lower()}"
        return Gpu(name, self.pci_device.upper(), name, self.memory or 0, "unknown", (0, 0))


class StaticDevices(Inputs):
    """Named cards of one host; the VM runs nowhere else, so a machine set of more than one machine cannot use it."""

    mode: Literal["static_passthrough"]
    host: str
    """Name of the host."""
    pci_ids: Annotated[tuple[PciId, ...], Field(min_length=1, max_length=16)]
    """`0000:3b:00.0`."""


class GroupDevices(Inputs):
    """A group of devices that vSphere 8 gives as one, such as two GPUs that NVLink joins."""

    mode: Literal["device_group"]
    group: str
    """As the hosts list it: `Nvidia:2@grid_a100-40c%NVLink`."""


GpuDevices = Annotated[VgpuDevices | PassthroughDevices | StaticDevices | GroupDevices, Field(discriminator="mode")]


class Placement(Inputs):
    """Where a template is placed: names, paths below their usual folder, or whole inventory paths."""

    datacenter: str
    """Name, or path below the root folder: `dc1`, `europe/dc1`."""
    cluster: str
    """Name, or path below the datacenter's folder of hosts: `gpu`, `prod/gpu`, `/europe/dc1/host/prod/gpu`."""
    datastore: str
    """Name, or path below the datacenter's folder of datastores."""
    folder: str = ""
    """Folder of VMs; not the one of an OpenShift cluster, as its `destroy` refuses what it does not know."""
    resource_pool: str = ""
    """Path below the cluster's own pool (`team-a`, `team-a/training`), or whole; empty: the cluster's own."""


class Ova(Inputs):
    """An OVA file to import, such as the RHCOS one of `openshift-install coreos print-stream-json`."""

    ova: str
    """Path of the file; a relative one starts at the environment file's folder."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    network: str = ""
    """Network for the image's adapter; empty: the first of the cluster."""


PROCEDURE: Final = frozenset({"guest_driver", "verify", "manage_hosts", "wait_for_host_mig", "limit_seconds"})
"""Fields of a spec that say how a template is made and judged. All others decide what it is."""


class GpuTemplateSpec(BaseModel):
    """One template for one failure domain. Sizes are MiB."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    failure_domain: str = ""
    """Name of the failure domain; empty when there is only one."""
    place: Placement
    source: str | Ova
    """A template or VM to clone, by its name or inventory path; or an OVA."""
    gpu: GpuDevices
    cpus: int
    cores_per_socket: int
    memory_mib: int
    hardware_version: int
    """The least hardware version; a source with a newer one keeps it."""
    mmio: int | Literal["auto"] = "auto"
    """GB of 64-bit MMIO space; 0 sets none."""
    extra_config: dict[str, str] = Field(default_factory=dict)
    guest_driver: str = ""
    """Version of the driver in the guest; empty: not known."""
    verify: Literal["none", "power_on"] = "none"
    manage_hosts: bool = False
    wait_for_host_mig: bool = False
    """Whether `up` waits until somebody has switched MIG mode on the hosts."""
    limit_seconds: float = 1800
    """How long each step of it may take."""

    @classmethod
    def load(cls, tree: Mapping[str, Any]) -> Self:
        """The spec that `dump` wrote. Raises pydantic's `ValidationError`."""
        return cls.model_validate(tree, context={DUMPED: True})

    def dump(self) -> dict[str, Any]:
        """The spec as a tree of JSON values, which `load` takes back."""
        return self.model_dump(mode="json")

    @property
    def count(self) -> int:
        """How many devices one VM has."""
        match self.gpu:
            case VgpuDevices(count=count) | PassthroughDevices(count=count):
                return count
            case StaticDevices(pci_ids=pci_ids):
                return len(pci_ids)
            case GroupDevices():
                return 1

    @property
    def power_on(self) -> bool:
        """Whether a VM of the template is started to prove that it can be."""
        return self.verify == "power_on"

    @property
    def shares_cards(self) -> bool:
        """Whether its VMs get parts of cards, which needs the vGPU manager on the hosts."""
        return isinstance(self.gpu, VgpuDevices | GroupDevices)

    @property
    def passes_cards_through(self) -> bool:
        """Whether its VMs get whole cards."""
        return isinstance(self.gpu, PassthroughDevices | StaticDevices)

    @property
    def host(self) -> str:
        """Name of the one host that its VMs can run on; empty: any."""
        return self.gpu.host if isinstance(self.gpu, StaticDevices) else ""

    @property
    def label(self) -> str:
        """Hardware label that its cards must have; empty: any."""
        return self.gpu.label if isinstance(self.gpu, PassthroughDevices) else ""

    @property
    def source_path(self) -> str:
        """Inventory path of what is cloned; empty for an OVA."""
        return "" if isinstance(self.source, Ova) else absolute(self.source, self.place.datacenter, "vm")
