"""A kind of three words for tests of outcomes: it takes a text, and gives one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.catalog import Catalog
from aiinfra.model.environment import Environment, StackEntry
from aiinfra.stack import Input, Inputs, Outputs, Ref, StackName, StackType


class PartInputs(Inputs):
    after: Input[str] = ""
    note: str = ""


class PartOutputs(Outputs):
    text: Input[str]


PART = StackType("part", "A part.", PartInputs, PartOutputs, "none:none")
CATALOG = Catalog.of(PART)


def environment(stacks: Mapping[str, Mapping[str, Any]]) -> Environment:
    """A lab of parts; `${stack.output}` in an input is a reference."""
    entries = {
        StackName(name): StackEntry(kind="part", inputs={key: _leaf(value) for key, value in inputs.items()})
        for name, inputs in stacks.items()
    }
    return Environment(version="v1", name="site", target="lab", stacks=entries)


def _leaf(value: str) -> Any:
    if not value.startswith("${"):
        return value
    stack, *output = value[2:-1].split(".")
    return Ref(StackName(stack), tuple(output))
