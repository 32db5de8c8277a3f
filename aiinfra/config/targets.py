"""What the target decides: defaults below everything, and, for a lab, values above everything that name the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiinfra.config.layers import Layer, Merged, unmarked
from aiinfra.domains.vsphere.block import FIELD
from aiinfra.model.tree import Loc, Tree
from aiinfra.stack import StackType

SHARED: Final = "the file's vcenter block"
REAL_STATE: Final = "file://~/.aiinfra/state"
LAB_VCENTER: Final[Mapping[str, Tree]] = {
    **{"host": "lab", "user": "lab", "password": "lab"},
    **{"port": 443, "ca": "", "fingerprint": "", "insecure": False},
}
"""Every field, so that nothing of a real one shines through; the lab puts its own in their place."""


def is_lab(tree: Tree) -> bool:
    return isinstance(tree, Mapping) and tree.get("target") == "lab"


def default_layer(tree: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> Layer:
    """The weakest layer."""
    stacks = tree.get("stacks") if isinstance(tree, Mapping) else None
    asked = {name: _kind(entry, kinds) for name, entry in stacks.items()} if isinstance(stacks, Mapping) else {}
    differing = {name: kind for name, kind in asked.items() if kind and kind.lab_defaults}
    if is_lab(tree):
        defaults: Tree = {name: dict(kind.lab_defaults) for name, kind in differing.items()}
        return Layer("default for target lab", unmarked({"state": {"url": ""}, **_stacks(defaults)}))
    defaults = {name: {at: _default(kind, at) for at in kind.lab_defaults} for name, kind in differing.items()}
    return Layer("default for target real", unmarked({"state": {"url": REAL_STATE}, **_stacks(defaults)}))


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
    if isinstance(tree.get(FIELD), Mapping) or any(_in_vcenter(tree, kinds)):
        over[FIELD] = LAB_VCENTER
    if stacks := _connections(tree.get("stacks"), kinds):
        over["stacks"] = stacks
    return [Layer("target lab", unmarked(over))] if over else []


def shared_layer(tree: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> list[Layer]:
    """The weakest layer but one: the file's vCenter for every stack that works in one and names no other."""
    shared = tree.get(FIELD) if isinstance(tree, Mapping) else None
    users = {name: {FIELD: shared} for name, entry in _in_vcenter(tree, kinds) if FIELD not in entry}
    return [Layer(SHARED, unmarked({"stacks": users}))] if users and isinstance(shared, Mapping) else []


def is_shared(at: Loc, whole: Merged) -> bool:
    """Whether a value of a stack is the file's own: what is wrong with it is said there."""
    owners = whole.owners(at[:3]) if len(at) > 2 and (at[0], at[2]) == ("stacks", FIELD) else ()
    return [layer.source for layer in owners] == [SHARED]


def _in_vcenter(tree: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> Iterator[tuple[str, Mapping[str, Tree]]]:
    stacks = tree.get("stacks") if isinstance(tree, Mapping) else None
    for name, entry in stacks.items() if isinstance(stacks, Mapping) else ():
        kind = _kind(entry, kinds)
        if kind and isinstance(entry, Mapping) and FIELD in kind.inputs.model_fields:
            yield name, entry


def _connections(stacks: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> dict[str, Tree]:
    """The connection fields that entries give, set back to their defaults."""
    found: dict[str, Tree] = {}
    for name, entry in stacks.items() if isinstance(stacks, Mapping) else ():
        kind = _kind(entry, kinds)
        given = [field for field in kind.connection if field in entry] if kind and isinstance(entry, Mapping) else []
        if kind and given:
            found[name] = {field: _in_lab(kind, field) for field in given}
    return found


def _in_lab(kind: StackType[Any, Any], field: str) -> Tree:
    return LAB_VCENTER if field == FIELD else _default(kind, field)


def _default(kind: StackType[Any, Any], field: str) -> Tree:
    default: Tree = kind.inputs.model_fields[field].get_default(call_default_factory=True)
    return default
