"""Where a value comes from: what counts, who gives it, and what it overrides. Shows no secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.catalog import blocks
from aiinfra.config.flags import path_of
from aiinfra.config.layers import Layer
from aiinfra.config.loaded import Loaded
from aiinfra.config.values import parse_values
from aiinfra.dataclass import dataclass
from aiinfra.errors import ConfigError
from aiinfra.model.display import redacted_line
from aiinfra.model.environment import Environment
from aiinfra.model.tree import Loc, Tree, as_tree, at_path, children, dotted
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.stack import StackName, Supersedes


@dataclass(frozen=True, slots=True)
class Given:
    """A value as one layer gives it."""

    where: str
    """`examples/lab.yaml:8:14`, `--set stacks.nfd.version`, `default of kind nfd`."""
    value: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One value in force."""

    path: str
    given: Given
    overridden: Sequence[Given] = ()
    """What weaker layers say, strongest first."""


def explain(loaded: Loaded, path: str = "") -> list[Explained]:
    """Return the value at a path, or every value below it. Raises `ConfigError` when there is none."""
    at, rest = path_of(path)
    if rest:
        raise ConfigError(f"{path!r} is not a path", where="PATH", hint="write stacks.nfd.version")
    whole = effective_values(loaded)
    _require_path(whole, at, path)
    return [_explain_value(loaded, below, value) for below, value in _values(at_path(whole, at), at)]


def effective_values(loaded: Loaded) -> Tree:
    """Return the whole environment with every default filled in."""
    from aiinfra.config.lab_block import lab_spec

    environment = loaded.environment
    whole: dict[str, Tree] = {}
    for name in Environment.model_fields:
        match name:
            case "blocks":
                whole |= {key: as_tree(environment.blocks.get(key)) for key in blocks()}
            case "lab":
                whole[name] = as_tree(lab_spec(environment))
            case "stacks":
                whole[name] = {stack: _stack(loaded, stack) for stack in environment.stacks}
            case _:
                whole[name] = as_tree(getattr(environment, name))
    return whole


def _stack(loaded: Loaded, name: Any) -> dict[str, Tree]:
    entry = loaded.environment.stacks[name]
    needs: dict[str, Tree] = {"depends_on": list(entry.depends_on)} if entry.depends_on else {}
    inputs = as_tree(loaded.plan.steps[name].inputs)
    return {"kind": entry.kind, **needs, **(inputs if isinstance(inputs, Mapping) else {})}


def _require_path(whole: Tree, at: Loc, path: str) -> None:
    for number, part in enumerate(at):
        below = dict(children(at_path(whole, at[:number])))
        if part not in below:
            hint = did_you_mean(str(part), [dotted((key,)) for key in below])
            raise ConfigError(f"nothing stands at {path}", code="config.no_value", where="PATH", hint=hint)


def _values(tree: Tree, at: Loc) -> list[tuple[Loc, Tree]]:
    """Return the leaves of a tree with their paths; a list of plain values counts as one."""
    below = list(children(tree))
    if not below or (isinstance(tree, list) and not any(list(children(item)) for item in tree)):
        return [(at, tree)]
    return [found for key, value in below for found in _values(value, (*at, key))]


def _explain_value(loaded: Loaded, at: Loc, value: Tree) -> Explained:
    others = [_given(layer, at) for layer in loaded.origins(at)]
    first = Given(others[0].where if others else _default_of(loaded, at), redacted_line(value, at))
    winner = _last_word(loaded, at)
    if winner:
        return Explained(dotted(at), _given(loaded.origins(winner)[0], winner), [first, *others[1:]])
    return Explained(dotted(at), first, others[1:])


def _last_word(loaded: Loaded, at: Loc) -> Loc:
    """Return the path of the value that is used in place of an input of a stack; empty when the input itself is."""
    if len(at) < 3 or at[0] != "stacks":
        return ()
    step = loaded.plan.steps[StackName(str(at[1]))]
    instead = step.kind.checks.superseded(step.inputs) if isinstance(step.kind.checks, Supersedes) else {}
    return (*at[:2], *instead[at[2:]]) if at[2:] in instead else ()


def _given(layer: Layer, at: Loc) -> Given:
    value, _ = parse_values(at_path(layer.document.tree, at[len(layer.at) :]))
    return Given(layer.where(at), redacted_line(value, at))


def _default_of(loaded: Loaded, at: Loc) -> str:
    if len(at) > 2 and at[0] == "stacks":
        return f"default of kind {loaded.environment.stacks[at[1]].kind}"  # type: ignore[index]  # a stack's name
    return "default"
