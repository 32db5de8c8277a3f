"""Inputs and outputs of VM templates with GPUs, which OpenShift machine sets clone."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from aiinfra.domains.vsphere.block import VCenterSpec
from aiinfra.domains.vsphere.spec import GpuDevices, GpuTemplateSpec, Ova, Placement
from aiinfra.model.units import Limit, Size
from aiinfra.stack import Input, Inputs, Outputs

DomainName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]


class GpuTemplateInputs(Inputs):
    vcenter: VCenterSpec
    gpu: GpuDevices
    source: str | Ova
    """A template or VM to clone: its name, or its inventory path; or an OVA."""
    place: Placement | None = None
    """Where the template is placed. For several failure domains write `failure_domains` instead."""
    failure_domains: dict[DomainName, Placement] = Field(default_factory=dict)
    """One template each, by the failure domain's name."""
    cpus: Annotated[int, Field(ge=1, le=768)] = 8
    cores_per_socket: Annotated[int, Field(ge=1)] = 1
    memory: Size = 32 * 1024
    """All of it is reserved. A machine set's memoryMiB takes its place, and the reservation follows."""
    hardware_version: Annotated[int, Field(ge=17, le=22)] = 19
    """The least version: GPUs need 17, 19 came with 7.0 U2. A source with a newer one keeps it."""
    mmio: Annotated[int, Field(ge=0, le=65536)] | Literal["auto"] = "auto"
    """GB of 64-bit MMIO space; `auto` computes it, 0 sets none."""
    extra_config: dict[str, str] = Field(default_factory=dict)
    """Further keys of the VM's configuration, such as `pciPassthru.allowP2P`."""
    verify: Literal["none", "power_on"] = "none"
    """`power_on`: a throw-away clone is started and its device read back. In a lab that is the default."""
    manage_hosts: bool = False
    """Let aiinfra set graphics type, passthrough and labels of hosts; without it nothing on a host is changed."""
    wait_for_host_mig: bool = False
    """Wait until somebody has switched MIG mode on by the commands that are shown."""
    guest_driver: str = ""
    """Version of the driver in the guest (`580.65.06`): its branch is compared with that of the hosts."""
    limit: Limit = 30 * 60
    """How long one template may take."""

    def places(self) -> dict[str, Placement]:
        """Return placements by failure domain, in the order of names; without any, one under an empty name."""
        return dict(sorted(self.failure_domains.items())) or ({"": self.place} if self.place else {})

    def templates(self, base: Path = Path()) -> list[GpuTemplateSpec]:
        """Return the spec of each template in the order of failure domains; relative image paths start at `base`."""
        source = self.source
        if isinstance(source, Ova):
            source = source.model_copy(update={"ova": str(base / Path(source.ova).expanduser())})
        return [
            GpuTemplateSpec(
                failure_domain=name,
                place=place,
                source=source,
                gpu=self.gpu,
                cpus=self.cpus,
                cores_per_socket=self.cores_per_socket,
                memory_mib=self.memory,
                hardware_version=self.hardware_version,
                mmio=self.mmio,
                extra_config=self.extra_config,
                guest_driver=self.guest_driver,
                verify=self.verify,
                manage_hosts=self.manage_hosts,
                wait_for_host_mig=self.wait_for_host_mig,
                limit_seconds=self.limit,
            )
            for name, place in self.places().items()
        ]


class GpuTemplates(Outputs):
    """Fields of one template are those of the first failure domain, in the order of names."""

    name: Input[str]
    path: Input[str]
    """Inventory path."""
    moref: Input[str]
    templates: Input[dict[str, Any]]
    """`name`, `path` and `moref` of each template, by failure domain."""
    mode: Input[str]
    gpu_model: Input[str]
    """GPU model as a machine set's autoscaler annotation needs it."""
    gpu_memory_mib: Input[int]
    """Memory of each device."""
    gpu_count: Input[int]
    profile: Input[str]
    """The vGPU profile that was chosen; empty for whole cards."""
