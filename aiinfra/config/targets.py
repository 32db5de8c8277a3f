"""What the target decides: defaults below everything, and, for a lab, values above everything that name the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiinfra.catalog import blocks
from aiinfra.config.layers import Layer, Merged, document_without_marks
from aiinfra.domain import Block
from aiinfra.model.tree import Loc, Tree
from aiinfra.stack import StackType

REAL_STATE: Final = "file://~/.aiinfra/state"


def shared_source(key: str) -> str:
    """The source of a layer by which a block of the file reaches the stacks that take it."""
    return f"the file's {key} block"


def is_lab(tree: Tree) -> bool:
    return isinstance(tree, Mapping) and tree.get("target") == "lab"


def default_layer(tree: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> Layer:
    """Return the weakest layer: the defaults of a lab."""
    stacks = tree.get("stacks") if isinstance(tree, Mapping) else None
    asked = {name: _kind(entry, kinds) for name, entry in stacks.items()} if isinstance(stacks, Mapping) else {}
    differing = {name: kind for name, kind in asked.items() if kind and kind.lab_defaults}
    if is_lab(tree):
        defaults: Tree = {name: dict(kind.lab_defaults) for name, kind in differing.items()}
        return Layer("default for target lab", document_without_marks({"state": {"url": ""}, **_stacks(defaults)}))
    defaults = {name: {at: _default(kind, at) for at in kind.lab_defaults} for name, kind in differing.items()}
    return Layer("default for target real", document_without_marks({"state": {"url": REAL_STATE}, **_stacks(defaults)}))


def _stacks(tree: Tree) -> dict[str, Tree]:
    return {"stacks": tree} if tree else {}


def _kind(entry: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> StackType[Any, Any] | None:
    return kinds.get(str(entry.get("kind"))) if isinstance(entry, Mapping) else None


def lab_layer(tree: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> list[Layer]:
    """The strongest layer of a lab: whatever says how to reach the outside is replaced, so its sources are not read."""
    if not is_lab(tree) or not isinstance(tree, Mapping):
        return []
    over: dict[str, Tree] = {}
    if isinstance(tree.get("state"), Mapping):
        over["state"] = {"url": "", "secrets": "passphrase"}
    known = blocks()
    for key, block in known.items():
        if block.in_lab and (isinstance(tree.get(key), Mapping) or any(_stacks_with_block(tree, key, kinds))):
            over[key] = dict(block.in_lab)
    if stacks := _connections(tree.get("stacks"), kinds, known):
        over["stacks"] = stacks
    return [Layer("target lab", document_without_marks(over))] if over else []


def shared_layers(tree: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> list[Layer]:
    """The weakest layers but one: each block of the file for every stack that takes it and gives none itself."""
    layers = []
    for key in blocks():
        shared = tree.get(key) if isinstance(tree, Mapping) else None
        takers = {name: {key: shared} for name, entry in _stacks_with_block(tree, key, kinds) if key not in entry}
        if takers and isinstance(shared, Mapping):
            layers.append(Layer(shared_source(key), document_without_marks({"stacks": takers})))
    return layers


def is_shared(at: Loc, whole: Merged) -> bool:
    """Whether a value of a stack comes from a block of the file: its flaws are reported there."""
    if len(at) < 3 or at[0] != "stacks":
        return False
    return [layer.source for layer in whole.owners(at[:3])] == [shared_source(str(at[2]))]


def _stacks_with_block(
    tree: Tree, key: str, kinds: Mapping[str, StackType[Any, Any]]
) -> Iterator[tuple[str, Mapping[str, Tree]]]:
    """Yield the stacks whose kinds have an input with the key of a block, and their entries."""
    stacks = tree.get("stacks") if isinstance(tree, Mapping) else None
    for name, entry in stacks.items() if isinstance(stacks, Mapping) else ():
        kind = _kind(entry, kinds)
        if kind and isinstance(entry, Mapping) and key in kind.inputs.model_fields:
            yield name, entry


def _connections(stacks: Tree, kinds: Mapping[str, StackType[Any, Any]], known: Mapping[str, Block]) -> dict[str, Tree]:
    """The connection fields that entries give: set back to their defaults, or to what the block is in a lab."""
    found: dict[str, Tree] = {}
    for name, entry in stacks.items() if isinstance(stacks, Mapping) else ():
        kind = _kind(entry, kinds)
        given = [field for field in kind.connection if field in entry] if kind and isinstance(entry, Mapping) else []
        if kind and given:
            found[name] = {f: dict(known[f].in_lab) if f in known else _default(kind, f) for f in given}
    return found


def _default(kind: StackType[Any, Any], field: str) -> Tree:
    default: Tree = kind.inputs.model_fields[field].get_default(call_default_factory=True)
    return default
