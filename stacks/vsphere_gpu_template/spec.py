"""VM templates with GPUs in them, which OpenShift machine sets clone: what is asked for, and what comes of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from aiinfra.domains.vsphere.block import VCenterSpec
from aiinfra.facts.gpus import UnknownGpu
from aiinfra.facts.gpus import gpu as known_gpu
from aiinfra.model.units import Duration, Size
from aiinfra.stack import Input, Inputs, Outputs


def _model(name: str) -> str:
    """The GPU by the name of our table, in any case. Raises `ValueError` with the nearest name."""
    try:
        return known_gpu(name).name if name else ""
    except UnknownGpu as error:
        near = f"; did you mean {error.near!r}?" if error.near else ""
        raise ValueError(f"no GPU model is named {name!r}{near}") from error


Model = Annotated[str, AfterValidator(_model)]
"""A GPU model such as `A100-PCIe-40GB`."""
Count = Annotated[int, Field(ge=1, le=16)]
"""Devices in one VM; vSphere takes at most 16 PCI passthrough devices."""
PciId = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]


class VgpuDevices(Inputs):
    """vGPUs: `vgpu` shares the card by time, `mig` gives each VM its own slice of it."""

    mode: Literal["vgpu", "mig"]
    profile: str = ""
    """A profile by the name that the hosts list: `grid_a100-40c`."""
    model: Model = ""
    """Instead of a profile: the GPU model, and `memory`; the smallest profile that is large enough is taken."""
    memory: Size | None = None
    """Least memory of each device: `20GiB`."""
    count: Count = 1


class PassthroughDevices(Inputs):
    """Whole cards by dynamic DirectPath I/O: placement finds a host that has them free."""

    mode: Literal["passthrough"]
    model: Model
    label: str = ""
    """Hardware label that the cards must have on the hosts."""
    count: Count = 1


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


class Place(Inputs):
    """Where a template stands: names, or paths below their usual folder."""

    datacenter: str
    cluster: str
    datastore: str
    folder: str = ""
    """Folder of VMs; not the one of an OpenShift cluster, as its `destroy` refuses what it does not know."""
    resource_pool: str = ""
    """Empty: the cluster's own."""


class Ova(Inputs):
    """An OVA file to import, such as the RHCOS one of `openshift-install coreos print-stream-json`."""

    ova: str
    """Path of the file; a relative one starts at the environment file's folder."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    network: str = ""
    """Network for the image's adapter; empty: the first of the cluster."""


class GpuTemplateInputs(Inputs):
    vcenter: VCenterSpec
    gpu: GpuDevices
    source: str | Ova
    """A template or VM to clone: its name, or its inventory path; or an OVA."""
    place: Place | None = None
    """Where the template stands. For several failure domains write `failure_domains` instead."""
    failure_domains: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")], Place] = Field(default_factory=dict)
    """One template each, by the failure domain's name."""
    cpus: Annotated[int, Field(ge=1, le=768)] = 8
    cores_per_socket: Annotated[int, Field(ge=1)] = 1
    memory: Size = 32 * 1024
    """All of it is reserved. A machine set's memoryMiB takes its place, and the reservation follows."""
    hardware_version: Annotated[int, Field(ge=17, le=22)] = 19
    """At least: 17 is the floor for GPUs, 19 is of 7.0 U2. A source that is newer keeps its own."""
    mmio: Annotated[int, Field(ge=0, le=65536)] | Literal["auto"] = "auto"
    """GB of 64-bit MMIO space; `auto` computes it, 0 sets none."""
    extra_config: dict[str, str] = Field(default_factory=dict)
    """More keys of the VM's configuration, such as `pciPassthru.allowP2P`."""
    verify: Literal["none", "power_on"] = "none"
    """`power_on`: a throw-away clone is started and its device read back. In a lab that is the default."""
    manage_hosts: bool = False
    """Let aiinfra set graphics type, passthrough and labels of hosts; without it nothing on a host is changed."""
    wait_for_host_mig: bool = False
    """Wait until somebody has switched MIG mode on by the commands that are shown."""
    guest_driver: str = ""
    """Version of the driver in the guest (`580.65.06`): its branch is held against that of the hosts."""
    limit: Duration = 30 * 60
    """How long one template may take."""


class GpuTemplates(Outputs):
    """Fields of one template are those of the first failure domain, in the order of names."""

    name: Input[str]
    path: Input[str]
    """Inventory path."""
    moref: Input[str]
    templates: Input[dict[str, Any]]
    """By failure domain: `name`, `path`, `moref`."""
    mode: Input[str]
    gpu_model: Input[str]
    """As a machine set's autoscaler annotation needs it."""
    gpu_memory_mib: Input[int]
    """Of each device."""
    gpu_count: Input[int]
    profile: Input[str]
    """The vGPU profile that was taken; empty for whole cards."""
