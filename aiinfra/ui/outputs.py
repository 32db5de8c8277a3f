"""The outputs of stacks as text and JSON. Secrets are shown as `<secret>`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiinfra.engine.wire import Tree, masked
from aiinfra.ui.tables import table


def outputs_text(outputs: Mapping[str, Mapping[str, Tree]]) -> str:
    """One block a stack: its name, then `output  value`."""
    if not outputs:
        return "no stack is up"
    return "\n".join(f"{stack}\n{table(_rows(given), indent=2)}" for stack, given in outputs.items())


def _rows(given: Mapping[str, Tree]) -> list[tuple[str, str]]:
    return [(name, _display_value(masked(value))) for name, value in sorted(given.items())] or [("-", "no outputs")]


def _display_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def outputs_json(outputs: Mapping[str, Mapping[str, Tree]]) -> dict[str, object]:
    return {
        "outputs": {stack: {name: masked(value) for name, value in given.items()} for stack, given in outputs.items()}
    }
