"""A kind of three words for tests of outcomes: it takes a text, and gives one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.catalog import Catalog
from aiinfra.model.environment import Environment, StackEntry
from aiinfra.model.units import Limit
from aiinfra.stack import Input, Inputs, Outputs, Ref, StackName, StackType


class PartInputs(Inputs):
    after: Input[str] = ""
    note: str = ""
    limit: Limit = 60


class PartOutputs(Outputs):
    text: Input[str]


PART = StackType("part", "A part.", PartInputs, PartOutputs, "none:none")
PROOF = StackType("proof", "A proof of parts.", PartInputs, PartOutputs, "none:none", proves=True)
CATALOG = Catalog.of(PART, PROOF)


def environment(stacks: Mapping[str, Mapping[str, Any]]) -> Environment:
    """A lab of parts, and of what says another `kind`; `${stack.output}` in an input is a reference."""
    entries = {
        StackName(name): StackEntry(kind=inputs.get("kind", "part"), inputs=_leaves(inputs))
        for name, inputs in stacks.items()
    }
    return Environment(version="v1", name="site", target="lab", stacks=entries)


def _leaves(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _leaf(value) for key, value in inputs.items() if key != "kind"}


def _leaf(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("${"):
        return value
    stack, *output = value[2:-1].split(".")
    return Ref(StackName(stack), tuple(output))
