"""Node Feature Discovery."""

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
    domains=("kubernetes",),
    plugins=("kubernetes",),
    checks=Checks(),
    external="what its chart brings",
    leftovers=(TRACES,),
    known_outputs=("namespace", "version", "gpu_label"),
)
