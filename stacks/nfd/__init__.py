"""Node Feature Discovery."""

from pathlib import Path

from aiinfra.stack import StackType
from stacks.nfd.checks import Checks
from stacks.nfd.labels import TRACES
from stacks.nfd.spec import NfdInputs, NfdInstall

STACK = StackType(
    kind="nfd",
    summary="Node Feature Discovery: labels nodes with their hardware, kernel and OS.",
    inputs=NfdInputs,
    outputs=NfdInstall,
    program="stacks.nfd.program:program",
    plugins=("kubernetes",),
    checks=Checks(),
    foreign="what its chart brings",
    traces=(TRACES,),
    foretold=("namespace", "version", "gpu_label"),
    sources=(Path(__file__).parent,),
)
