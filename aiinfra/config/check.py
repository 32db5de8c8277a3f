"""A merged tree against the model of an environment and the kinds of its stacks: a typed value, or every flaw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.model.environment import Environment, StackEntry
from aiinfra.model.tree import Flaw, Tree
from aiinfra.plan.inputs import validated
from aiinfra.plan.planner import Plan, draft
from aiinfra.stack import Ref, StackName, StackType

HEAD_KEYS = ("kind", "depends_on")


def check(tree: Tree, stem: str, kinds: Mapping[str, StackType[Any, Any]]) -> tuple[Plan | None, Sequence[Flaw]]:
    """The plan of a tree whose late values are leaves. `stem` is what `name` must be."""
    document = tree if isinstance(tree, Mapping) else {}
    stacks = document.get("stacks")
    entries = dict(_entries(stacks)) if isinstance(stacks, Mapping) else {}
    head, flaws = validated(Environment, {**document, **_heads(stacks), "lab": {}})
    flaws += _lab_flaws(document)
    flaws += _name_flaws(document, stem)
    flaws += _stray_references(document)
    steps, drafted = draft(entries, str(document.get("name", "")), str(document.get("target", "real")), kinds)
    flaws += drafted
    if head is None or flaws:
        return None, flaws
    return Plan(head.model_copy(update={"stacks": entries, "lab": document.get("lab", {})}), steps), ()


def _heads(stacks: Tree) -> dict[str, Tree]:
    """Entries without the inputs of their kinds, which the kinds judge."""
    if not isinstance(stacks, Mapping):
        return {"stacks": stacks} if stacks is not None else {}
    return {"stacks": {name: _head(entry) for name, entry in stacks.items()}}


def _head(entry: Tree) -> Tree:
    return {key: entry[key] for key in HEAD_KEYS if key in entry} if isinstance(entry, Mapping) else entry


def _entries(stacks: Mapping[str, Tree]) -> Iterator[tuple[StackName, StackEntry]]:
    """Every entry that has a shape, as well as it can be told; what is wrong with it is found elsewhere."""
    for name, entry in stacks.items():
        parts = entry if isinstance(entry, Mapping) else {}
        kind, needs = parts.get("kind"), parts.get("depends_on")
        yield (
            StackName(name),
            StackEntry.model_construct(
                kind=kind if isinstance(kind, str) else "",
                depends_on=tuple(n for n in needs if isinstance(n, str)) if isinstance(needs, list) else (),
                inputs={key: value for key, value in parts.items() if key not in HEAD_KEYS},
            ),
        )


def _lab_flaws(document: Mapping[str, Tree]) -> Sequence[Flaw]:
    """The models of `lab:` are loaded for a file that has it."""
    if "lab" not in document:
        return ()
    from aiinfra.model.lab import lab_model

    return validated(lab_model(), document["lab"], ("lab",))[1]


def _name_flaws(document: Mapping[str, Tree], stem: str) -> Iterator[Flaw]:
    name = document.get("name")
    if isinstance(name, str) and name != stem:
        yield Flaw(("name",), f"is {name}, but the file is named {stem}", f"write name: {stem}, or rename the file")


def _stray_references(document: Mapping[str, Tree]) -> Iterator[Flaw]:
    """References to stacks stand below `stacks:` only."""
    from aiinfra.model.tree import leaves

    for at, leaf in leaves({key: value for key, value in document.items() if key != "stacks"}):
        if isinstance(leaf, Ref):
            yield Flaw(at, f"{leaf} cannot stand here: only stacks refer to stacks", "write the value itself")
