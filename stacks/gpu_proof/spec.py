"""The proof that GPUs work: a ladder of checks that ends with a CUDA pod."""

from typing import Annotated, Any, Literal

from pydantic import Field

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.model.units import Limit
from aiinfra.stack import Input, Inputs, Linked, Outputs
from stacks.gpu_operator.spec import GpuOperatorInstall


class Expect(Inputs):
    """What the cluster must show; fewer is a failure."""

    nodes: Annotated[int, Field(ge=1)]
    """Nodes with a GPU that are Ready and schedulable."""
    gpus: Annotated[int, Field(ge=1)]
    """Allocatable units of the resource, all nodes together; a time-sliced GPU counts once per slice."""
    resource: str = ""
    """Name of the resource; empty means those that the operator gives: `nvidia.com/gpu`, or `nvidia.com/mig-*` too."""


class GpuProofInputs(Inputs):
    cluster: Linked[ClusterAccess]
    operator: Linked[GpuOperatorInstall]
    """The GPU Operator that is to be proved: `${gpu_operator}`."""
    expect: Expect
    nodes: Literal["all"] | Annotated[int, Field(ge=1)] = "all"
    """Which nodes run the CUDA pod: all, or a sample of so many, the first by name."""
    limit: Limit = 900
    """Timeout for all rungs and the pods of 10 nodes; each further 10 nodes may take 5 minutes more."""


class GpuProved(Outputs):
    """What was proved, and when."""

    gpus: Input[int]
    """Allocatable units that were counted."""
    nodes: Input[int]
    """Nodes with GPUs that were counted: Ready, schedulable, with no taint that the operator does not tolerate."""
    simulated: Input[bool]
    """True when the run of the CUDA pod was simulated by a lab."""
    proved_at: Input[str]
    """ISO 8601, UTC."""
    evidence: Input[list[str]]
    """One sentence for each rung of the ladder, and for each node that ran the pod."""
    proved_on: Input[dict[str, Any]]
    """What it stands on. `nodes`: by name, the uid, kernel, driver, slices and devices of each node that counted."""
