"""The proof that GPUs work."""

from aiinfra.stack import StackType
from stacks.gpu_proof.checks import Checks
from stacks.gpu_proof.spec import GpuProofInputs, GpuProved

STACK = StackType(
    kind="gpu_proof",
    summary="Proves that GPUs work: labels, operator, allocatable GPUs, a CUDA pod with the right answer.",
    inputs=GpuProofInputs,
    outputs=GpuProved,
    program="stacks.gpu_proof.program:program",
    domains=("kubernetes",),
    checks=Checks(),
    proves=True,
)
