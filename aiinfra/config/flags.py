"""Layers from the command line (`--set PATH=VALUE`) and from the environment (`AIINFRA__stacks__nfd__version=…`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aiinfra.config.layers import BadPath, Layer, overlaid
from aiinfra.config.yaml_text import parse
from aiinfra.errors import Problem
from aiinfra.model.tree import Loc, Tree, is_list

PREFIX = "AIINFRA__"
_STEP = re.compile(r"""\.?([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]|\["([^"]*)"\]""")


def set_layers(sets: Iterable[str], low: Tree) -> tuple[list[Layer], list[Problem]]:
    """Layers of `--set`, strongest first: the last one given wins."""
    layers: list[Layer] = []
    problems: list[Problem] = []
    for text in sets:
        at, rest = path_of(text)
        where = "--set " + text[: len(text) - len(rest)]
        if not at or not rest.startswith("="):
            form = 'write --set stacks.nfd.version=0.19.0; a key with other signs is ["key"]'
            problems.append(Problem(where.split("=")[0], "", "is not of the form PATH=VALUE", form))
            continue
        low = _added(layers, problems, where, at, rest[1:], low)
    return layers[::-1], problems


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


def variable_layers(environ: Mapping[str, str], low: Tree) -> tuple[list[Layer], list[Problem]]:
    """Layers of variables, in order of their names; the last is the strongest."""
    layers: list[Layer] = []
    problems: list[Problem] = []
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        at = _steps(name.removeprefix(PREFIX).split("__"), low)
        if "" in at:
            problems.append(Problem(name, "", "names no value", f"write {PREFIX}stacks__nfd__version"))
            continue
        low = _added(layers, problems, name, at, environ[name], low)
    return layers[::-1], problems


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


def _added(layers: list[Layer], problems: list[Problem], where: str, at: Loc, text: str, low: Tree) -> Tree:
    """Add the layer, or what is wrong with it; returns what stands below the next one."""
    document, wrongs = parse(text)
    problems += [Problem(where, "", wrong.message, wrong.hint) for wrong in wrongs]
    if at[0] == "extends":
        problems.append(Problem(where, "extends", "can be set in files only"))
        return low
    try:
        above = overlaid(low, at, document.tree)
    except BadPath as exc:
        problems.append(Problem(where, "", str(exc)))
        return low
    if not wrongs:
        layers.append(Layer(where, document, at))
    return above
