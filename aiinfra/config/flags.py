"""Layers from the command line (`--set PATH=VALUE`) and from the environment (`AIINFRA__stacks__nfd__version=…`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from aiinfra.config.layers import BadPath, Layer, overlay
from aiinfra.config.marks import Document
from aiinfra.config.yaml_text import parse
from aiinfra.dataclass import dataclass
from aiinfra.errors import Problem
from aiinfra.model.tree import Loc, Tree, is_list

PREFIX = "AIINFRA__"
_STEP = re.compile(r"""\.?([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]|\["([^"]*)"\]""")


@dataclass(slots=True)
class Flags:
    """Layers as they are laid over a tree, and what is wrong with them."""

    low: Tree
    """What stands below the next layer."""
    layers: list[Layer] = field(default_factory=list)
    """Strongest first: the last one given wins."""
    problems: list[Problem] = field(default_factory=list)

    def set(self, text: str) -> None:
        """One `--set PATH=VALUE`."""
        at, rest = path_of(text)
        if at and rest.startswith("="):
            self._add("--set " + text.removesuffix(rest), at, rest[1:])
        else:
            form = 'write --set stacks.nfd.version=0.19.0; a key with other signs is ["key"]'
            self._wrong("--set " + text.partition("=")[0], "is not of the form PATH=VALUE", form)

    def variable(self, name: str, value: str) -> None:
        """One variable `AIINFRA__…`."""
        at = _steps(name.removeprefix(PREFIX).split("__"), self.low)
        if "" in at:
            self._wrong(name, "names no value", f"write {PREFIX}stacks__nfd__version")
        else:
            self._add(name, at, value)

    def _add(self, where: str, at: Loc, text: str) -> None:
        document, wrongs = parse(text)
        for wrong in wrongs:
            self._wrong(where, wrong.message, wrong.hint or "quote the value if it is text")
        if at[0] == "extends":
            self._wrong(where, "extends is followed in files only")
        elif not wrongs:
            self._lay(where, at, document)

    def _lay(self, where: str, at: Loc, document: Document) -> None:
        try:
            self.low = overlay(self.low, at, document.tree)
        except BadPath as exc:
            self._wrong(where, str(exc))
        else:
            self.layers.insert(0, Layer(where, document, at))

    def _wrong(self, where: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(where, "", message, hint))


def path_of(text: str) -> tuple[Loc, str]:
    """The path that a text begins with, and the rest: `a.b[0]=1` gives `("a", "b", 0)` and `=1`."""
    at: list[str | int] = []
    end = 0
    while found := _STEP.match(text, end):
        if not at and found[0].startswith("."):
            break
        at.append(int(found[2]) if found[2] else found[1] or found[3])
        end = found.end()
    return tuple(at), text[end:]


def _steps(parts: list[str], low: Tree) -> Loc:
    """A number steps into a list; `_` may stand for `-`, which no shell takes in a variable's name."""
    at: list[str | int] = []
    for part in parts:
        step: str | int = part
        if is_list(low) and part.isdecimal():
            step = int(part)
        elif isinstance(low, Mapping) and part not in low and part.replace("_", "-") in low:
            step = part.replace("_", "-")
        at.append(step)
        low = _below(low, step)
    return tuple(at)


def _below(low: Tree, step: str | int) -> Tree:
    if isinstance(low, Mapping) and isinstance(step, str):
        return low.get(step)
    if isinstance(low, list) and isinstance(step, int) and step < len(low):
        return low[step]  # type: ignore[no-any-return]
    return None
