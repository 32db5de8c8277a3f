"""NVIDIA's GPU Operator."""

from pathlib import Path

from aiinfra.stack import StackType
from stacks.gpu_operator.checks import Checks
from stacks.gpu_operator.spec import GpuOperatorInputs, GpuOperatorInstall

STACK = StackType(
    kind="gpu_operator",
    summary="NVIDIA's GPU Operator: driver, toolkit, device plugin, MIG, time-slicing, monitoring.",
    inputs=GpuOperatorInputs,
    outputs=GpuOperatorInstall,
    program="stacks.gpu_operator.program:program",
    plugins=("kubernetes",),
    checks=Checks(),
    foreign="what its chart brings",
    foretold=("namespace", "version", "resource", "policy"),
    sources=(Path(__file__).parent,),
)
