"""A small stack: three own test resources, in a row."""

from pathlib import Path

from aiinfra.stack import StackType
from aiinfra_test_kinds.things.spec import ThingsInputs, ThingsMade

STACK = StackType(
    kind="things",
    summary="Three test resources in a row",
    inputs=ThingsInputs,
    outputs=ThingsMade,
    program="aiinfra_test_kinds.things.program:program",
    domains=("test",),
    sources=(Path(__file__).parent,),
)
