"""The proof that GPUs work: a ladder of checks that ends with a CUDA pod."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.model.units import Duration
from aiinfra.stack import Input, Inputs, Linked, Outputs
from stacks.gpu_operator.spec import GpuOperatorInstall


class Expect(Inputs):
    """What the cluster must show; fewer is a failure."""

    nodes: Annotated[int, Field(ge=1)]
    """Nodes with a GPU."""
    gpus: Annotated[int, Field(ge=1)]
    """Allocatable units of the resource, all nodes together; a time-sliced GPU counts once per slice."""
    resource: str = ""
    """Name of the resource; empty means the one that the operator gives: `nvidia.com/gpu`."""


class GpuProofInputs(Inputs):
    cluster: Linked[ClusterAccess]
    operator: Linked[GpuOperatorInstall]
    """The GPU Operator that is to be proved: `${gpu_operator}`."""
    expect: Expect
    limit: Duration = 900
    """How long the ladder may take, the pod's run included."""


class GpuProved(Outputs):
    """What was proved, and when."""

    gpus: Input[int]
    """Allocatable units that were counted."""
    nodes: Input[int]
    """Nodes with GPUs that were counted."""
    simulated: Input[bool]
    """True when the run of the CUDA pod was simulated by a lab."""
    proved_at: Input[str]
    """ISO 8601, UTC."""
    evidence: Input[list[str]]
    """One sentence for each rung of the ladder."""
