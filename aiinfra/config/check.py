"""A merged tree against the model of an environment and the kinds of its stacks: a typed value, or every flaw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from aiinfra.catalog import blocks, domains
from aiinfra.domain import load
from aiinfra.domain_lab import DescribesHardware, VariesByPlan
from aiinfra.model.environment import Environment, StackEntry
from aiinfra.model.tree import Flaw, Tree
from aiinfra.plan.inputs import validate
from aiinfra.plan.planner import Plan, draft
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.stack import Ref, StackName, StackType

KEYS = frozenset(Environment.model_fields) - {"blocks"}
HEAD_KEYS = ("kind", "depends_on")


def check(
    tree: Tree, stem: str, kinds: Mapping[str, StackType[Any, Any]], *, real_operators: bool = False
) -> tuple[Plan | None, Sequence[Flaw]]:
    """Return the plan of a tree whose unresolved values are leaves, or every flaw. `stem` is what `name` must be.

    `real_operators`: a lab runs them for real, whatever the tree says.
    """
    document = tree if isinstance(tree, Mapping) else {}
    stacks = document.get("stacks")
    entries = dict(_entries(stacks)) if isinstance(stacks, Mapping) else {}
    own = {key: value for key, value in document.items() if key in KEYS}
    head, flaws = validate(Environment, {**own, **_heads(stacks), "lab": {}})
    flaws += _unknown_keys(document)
    checked, found = _blocks(document)
    in_lab = _lab_flaws(document)
    flaws += [*found, *in_lab]
    flaws += _name_flaws(document, stem)
    flaws += _stray_references(document)
    target = str(document.get("target", "real"))
    hardware = _hardware(document, real_operators) if target == "lab" and not in_lab else ()
    steps, drafted = draft(entries, str(document.get("name", "")), target, kinds, hardware)
    flaws += drafted
    if head is None or flaws:
        return None, flaws
    parts = {"stacks": entries, "blocks": checked, "lab": document.get("lab", {})}
    return Plan(head.model_copy(update=parts), steps), ()


def top_level_keys() -> list[str]:
    """Return the keys that a file may have, in the order in which they are explained."""
    return [key for name in Environment.model_fields for key in (blocks() if name == "blocks" else (name,))]


def _unknown_keys(document: Mapping[str, Tree]) -> Iterator[Flaw]:
    known = top_level_keys()
    for key in document:
        if key not in known:
            yield Flaw((key,), "no such key here", did_you_mean(key, known), at_key=True)


def _blocks(document: Mapping[str, Tree]) -> tuple[Mapping[str, BaseModel], list[Flaw]]:
    """Return the blocks that the file has, and their flaws. Models are loaded only for blocks that are there."""
    checked: dict[str, BaseModel] = {}
    flaws: list[Flaw] = []
    for key, block in blocks().items():
        if document.get(key) is not None:
            made, found = validate(load(block.model), document[key], (key,))
            flaws += found
            if isinstance(made, BaseModel):
                checked[key] = made
    return checked, flaws


def _heads(stacks: Tree) -> dict[str, Tree]:
    """Return the entries without the inputs of their kinds, which the kinds check."""
    if not isinstance(stacks, Mapping):
        return {"stacks": stacks} if stacks is not None else {}
    return {"stacks": {name: _head(entry) for name, entry in stacks.items()}}


def _head(entry: Tree) -> Tree:
    return {key: entry[key] for key in HEAD_KEYS if key in entry} if isinstance(entry, Mapping) else entry


def _entries(stacks: Mapping[str, Tree]) -> Iterator[tuple[StackName, StackEntry]]:
    """Yield every entry of `stacks` that can be read, without what is wrong in it: those flaws are found elsewhere."""
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
    """Return the flaws of `lab:`. Its models are loaded only for a file that has it."""
    if "lab" not in document:
        return ()
    from aiinfra.config.lab_block import lab_model

    return validate(lab_model(), document["lab"], ("lab",))[1]


def _hardware(document: Mapping[str, Tree], real_operators: bool) -> Sequence[Any]:
    """Return what a checked `lab:` describes, as records of the domains."""
    found = document.get("lab")
    if not isinstance(found, Mapping) and not real_operators:
        return ()
    described = found if isinstance(found, Mapping) else {}
    labs = [load(domain.lab) for domain in domains().values() if domain.lab]
    telling = [lab for lab in labs if isinstance(lab, DescribesHardware) and described.get(lab.key) is not None]
    varying = [lab for lab in labs if isinstance(lab, VariesByPlan)]
    return [
        *(record for lab in telling for record in lab.hardware(described[lab.key])),
        *(
            record
            for lab in varying
            for record in lab.real_operators(described.get(lab.key), everywhere=real_operators)
        ),
    ]


def _name_flaws(document: Mapping[str, Tree], stem: str) -> Iterator[Flaw]:
    name = document.get("name")
    if isinstance(name, str) and name != stem:
        yield Flaw(("name",), f"is {name}, but the file is named {stem}", f"write name: {stem}, or rename the file")


def _stray_references(document: Mapping[str, Tree]) -> Iterator[Flaw]:
    """Yield a flaw for each reference to a stack outside `stacks:`."""
    from aiinfra.model.tree import leaves

    for at, leaf in leaves({key: value for key, value in document.items() if key != "stacks"}):
        if isinstance(leaf, Ref):
            yield Flaw(at, f"{leaf} cannot stand here: only stacks refer to stacks", "write the value itself")
