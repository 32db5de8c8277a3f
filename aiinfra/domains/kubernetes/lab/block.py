"""`lab.clusters:` of an environment file: the simulated clusters. All of it has defaults."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from aiinfra.facts.gpus import Gpu
from aiinfra.model.lab_model import LabModel
from aiinfra.model.own_gpu import KnownGpu, OwnGpu, described_gpu

Platform = Literal["kubernetes"]
"""What a simulated cluster runs: it decides which controllers the cluster has."""


MOST_NODES: Final = 5000
MOST_GPUS: Final = 16
"""In one node."""


_NAME: Final = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
LabelKey = Annotated[str, Field(pattern=rf"^([a-z0-9.-]{{1,253}}/)?{_NAME}$")]
"""A name of a label or taint, as the API server takes it."""
LabelValue = Annotated[str, Field(pattern=rf"^({_NAME})?$")]


class Taint(LabModel):
    """A taint of a node; fields as in Kubernetes."""

    key: LabelKey
    value: LabelValue = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"

    def __str__(self) -> str:
        return f"{self.key}{'=' + self.value if self.value else ''}:{self.effect}"


class NodeGroup(LabModel):
    """Nodes that are alike. Their names are `<group>-0`, `<group>-1`, …"""

    count: Annotated[int, Field(ge=0, le=MOST_NODES)] = 1
    gpu: KnownGpu | OwnGpu = ""
    """GPU model by its name in `aiinfra.facts.gpus` (`A100-SXM4-40GB`); one that is not there, by its own row: `name`,
    `pci_device`, `memory`, `architecture`. Empty means no GPU."""
    gpus: Annotated[int, Field(ge=0, le=MOST_GPUS)] = 0
    """GPUs in each node."""
    os: Annotated[str, Field(pattern=r"^[a-z]+\d+(\.\d+)*$")] = "ubuntu24.04"
    """`ubuntu24.04`, `ubuntu22.04`, `rhel9.6`, `rhcos4.22`: ID and VERSION_ID of os-release."""
    kernel: str = "6.8.0-85-generic"
    cpu: Annotated[int, Field(ge=1)] = 32
    memory: str = "256Gi"
    arch: Literal["amd64", "arm64"] = "amd64"
    labels: Mapping[LabelKey, LabelValue] = Field(default_factory=dict)
    """Labels that the site gave them, beside those of Kubernetes."""
    taints: tuple[Taint, ...] = ()
    host_driver: Annotated[str, Field(pattern=r"^(\d+(\.\d+){1,2})?$")] = ""
    """Version of NVIDIA's driver that their image brings, with the container toolkit: `580.105.08`. Empty: none."""
    vgpu: Annotated[str, Field(pattern=r"^([A-Z0-9-]+-\d+[A-Z]*)?$")] = ""
    """NVIDIA's name of the vGPUs (`A100-20C`), for nodes that are VMs with shares of `gpu`. Empty: whole GPUs."""

    @model_validator(mode="after")
    def _model_and_number_together(self) -> Self:
        if bool(self.gpu) != bool(self.gpus):
            missing = "gpu: which model" if self.gpus else "gpus: how many in each node"
            raise ValueError(f"a node with GPUs needs both gpu and gpus; missing is {missing}")
        if (self.host_driver or self.vgpu) and not self.gpu:
            raise ValueError("host_driver and vgpu are of nodes with GPUs: gpu and gpus are missing")
        return self

    @property
    def model(self) -> Gpu | None:
        """The GPU model; None for nodes without a GPU."""
        return described_gpu(self.gpu)


Operators = Literal["stand-in", "real"]
"""Who acts on what the charts of operators make."""


class LabCluster(LabModel):
    """One simulated cluster: a real API server, nodes without machines."""

    platform: Platform = "kubernetes"
    """`kubernetes`: plain Kubernetes, with the controllers of the charts that aiinfra knows."""
    operators: Operators = "stand-in"
    """`stand-in`: aiinfra's own, which follow the newest versions. `real`: NVIDIA's GPU Operator v25.3.4, compiled
    from its Go module at the first use (about a minute of CPU); its pods are simulated, and NFD stays a stand-in. Its
    stack then asks for `version: v25.3.4`."""
    nodes: dict[str, NodeGroup] = Field(
        default_factory=lambda: {"cpu": NodeGroup(count=1), "gpu": NodeGroup(count=2, gpu="A100-SXM4-40GB", gpus=8)}
    )


def clusters_field() -> tuple[Any, Any]:
    """Return type and field of the key `clusters` of `lab:`."""
    text = "By the name of the stack that uses the cluster. One that is not described is assumed; reports say so."
    return dict[str, LabCluster], Field(default_factory=dict, description=text)
