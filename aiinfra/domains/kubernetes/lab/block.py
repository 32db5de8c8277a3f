"""`lab.clusters:` of an environment file: the simulated clusters. All of it has defaults."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from aiinfra.facts.gpus import UnknownGpu
from aiinfra.facts.gpus import gpu as known_gpu
from aiinfra.model.lab_model import LabModel

Platform = Literal["kubernetes"]
"""What a simulated cluster runs: it decides which controllers the cluster has."""


MOST_NODES: Final = 5000
MOST_GPUS: Final = 16
"""In one node."""


class NodeGroup(LabModel):
    """Nodes that are alike. Their names are `<group>-0`, `<group>-1`, …"""

    count: Annotated[int, Field(ge=0, le=MOST_NODES)] = 1
    gpu: str = ""
    """GPU model by its name in `aiinfra.facts.gpus` (`A100-SXM4-40GB`); empty means no GPU."""
    gpus: Annotated[int, Field(ge=0, le=MOST_GPUS)] = 0
    """GPUs in each node."""
    os: Annotated[str, Field(pattern=r"^[a-z]+\d+(\.\d+)*$")] = "ubuntu24.04"
    """`ubuntu24.04`, `ubuntu22.04`, `rhel9.6`, `rhcos4.22`: ID and VERSION_ID of os-release."""
    kernel: str = "6.8.0-85-generic"
    cpu: Annotated[int, Field(ge=1)] = 32
    memory: str = "256Gi"

    @field_validator("gpu")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            return known_gpu(name).name if name else ""
        except UnknownGpu as error:
            near = f"; did you mean {error.near!r}?" if error.near else ""
            raise ValueError(f"no GPU model is named {name!r}{near}") from error

    @model_validator(mode="after")
    def _model_and_number_together(self) -> Self:
        if bool(self.gpu) != bool(self.gpus):
            missing = "gpu: which model" if self.gpus else "gpus: how many in each node"
            raise ValueError(f"a node with GPUs needs both gpu and gpus; missing is {missing}")
        return self


Operators = Literal["stand-in", "real"]
"""Who acts on what the charts of operators make."""


class LabCluster(LabModel):
    """One simulated cluster: a real API server, nodes without machines."""

    platform: Platform = "kubernetes"
    """`kubernetes`: plain Kubernetes, with the controllers of the charts that aiinfra knows."""
    operators: Operators = "stand-in"
    """`stand-in`: aiinfra's own, which follow the newest versions. `real`: NVIDIA's GPU Operator v25.3.4, compiled
    from its Go module at the first use (about a minute of CPU); its pods are simulated, and NFD stays a stand-in."""
    nodes: dict[str, NodeGroup] = Field(
        default_factory=lambda: {"cpu": NodeGroup(count=1), "gpu": NodeGroup(count=2, gpu="A100-SXM4-40GB", gpus=8)}
    )


def clusters_field() -> tuple[Any, Any]:
    """Return type and field of the key `clusters` of `lab:`."""
    text = "By the name of the stack that uses the cluster. One that is not described is assumed; reports say so."
    return dict[str, LabCluster], Field(default_factory=dict, description=text)
