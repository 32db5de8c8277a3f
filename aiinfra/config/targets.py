"""What the target decides: defaults below everything, and, for a lab, values above everything that name the outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiinfra.config.layers import Layer, unmarked
from aiinfra.model.tree import Tree
from aiinfra.stack import StackType

REAL_STATE: Final = "file://~/.aiinfra/state"
LAB_VCENTER: Final = {"host": "lab", "user": "lab", "password": "lab"}


def is_lab(tree: Tree) -> bool:
    return isinstance(tree, Mapping) and tree.get("target") == "lab"


def default_layer(tree: Tree) -> Layer:
    """The weakest layer."""
    if is_lab(tree):
        return Layer("default for target lab", unmarked({"state": {"url": ""}}))
    return Layer("default for target real", unmarked({"state": {"url": REAL_STATE}}))


def lab_layer(tree: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> list[Layer]:
    """The strongest layer of a lab: whatever says how to reach the outside is replaced, so its sources are not read."""
    if not is_lab(tree) or not isinstance(tree, Mapping):
        return []
    over: dict[str, Tree] = {}
    if isinstance(tree.get("state"), Mapping):
        over["state"] = {"url": "", "secrets": "passphrase"}
    if isinstance(tree.get("vcenter"), Mapping):
        over["vcenter"] = LAB_VCENTER
    if stacks := _connections(tree.get("stacks"), kinds):
        over["stacks"] = stacks
    return [Layer("target lab", unmarked(over))] if over else []


def _connections(stacks: Tree, kinds: Mapping[str, StackType[Any, Any]]) -> dict[str, Tree]:
    """The connection fields that entries give, set back to their defaults."""
    found: dict[str, Tree] = {}
    for name, entry in stacks.items() if isinstance(stacks, Mapping) else ():
        kind = kinds.get(str(entry.get("kind"))) if isinstance(entry, Mapping) else None
        given = [field for field in kind.connection if field in entry] if kind and isinstance(entry, Mapping) else []
        if kind and given:
            fields = kind.inputs.model_fields
            found[name] = {field: fields[field].get_default(call_default_factory=True) for field in given}
    return found
