"""Flags and variables that miss their stack: a misspelt name would otherwise be a new stack without a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiinfra.config.layers import Layer, merge_layers
from aiinfra.errors import Problem
from aiinfra.model.tree import Loc, dotted
from aiinfra.plan.suggestions import did_you_mean


class Strays:
    """The stacks of no file that flags give values to, and no kind."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        """`layers` are those that people wrote, strongest first; the marked ones are files."""
        document = merge_layers([layer for layer in layers if layer.marked]).tree
        stacks = document.get("stacks") if isinstance(document, Mapping) else None
        self._known = list(stacks) if isinstance(stacks, Mapping) else []
        flags = [layer for layer in layers if not layer.marked and layer.at[:1] == ("stacks",) and len(layer.at) > 1]
        whole = {layer.at[1] for layer in flags if layer.at[2:] in ((), ("kind",))}
        self._sources = {
            str(layer.at[1]): layer.source
            for layer in flags
            if layer.at[1] not in whole and layer.at[1] not in self._known
        }

    def problems(self) -> list[Problem]:
        """Return one problem for each, at its flag or variable."""
        return [
            Problem(source, dotted(("stacks", name)), "the file has no such stack", did_you_mean(name, self._known))
            for name, source in self._sources.items()
        ]

    def hold(self, at: Loc) -> bool:
        """Whether a place is below one of them: what is wrong there follows from the name."""
        return len(at) > 1 and at[0] == "stacks" and at[1] in self._sources
