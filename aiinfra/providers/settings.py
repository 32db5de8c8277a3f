"""Read the properties of a resource: required keys by type, plain values of secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiinfra.engine.wire import Secret, Tree, Unknown, reveal
from aiinfra.providers.contract import CheckFailure, Properties

Kind = type | tuple[type, ...]

TYPE_NAMES: Mapping[Kind, str] = {
    str: "text",
    list: "a list",
    dict: "a map",
    (int, float): "a number",
    int: "a whole number",
}


def check(
    inputs: Properties, shape: Mapping[str, Kind], *, secret: Collection[str] = ()
) -> tuple[Properties, Sequence[CheckFailure]]:
    """Check that each key of `shape` is there with its type, or unknown; those of `secret` are returned as secrets."""
    failures = [failure for key, kind in shape.items() if (failure := _failure(inputs, key, kind))]
    return {key: _sealed(tree) if key in secret else tree for key, tree in inputs.items()}, failures


def value(properties: Properties, key: str) -> Any:
    """Return the plain value, secrets revealed. Raises `ValueError` when a part is unknown."""
    return reveal(properties.get(key))


def bare(tree: Tree) -> Tree:
    """Return the tree without a secret mark around the whole of it."""
    return tree.value if isinstance(tree, Secret) else tree


def _sealed(tree: Tree) -> Tree:
    return tree if tree is None or isinstance(tree, Secret) else Secret(tree)


def _failure(inputs: Properties, key: str, kind: Kind) -> CheckFailure | None:
    given = bare(inputs.get(key))
    if isinstance(given, Unknown) or (isinstance(given, kind) and not isinstance(given, bool)):
        return None
    return CheckFailure(key, f"must be {TYPE_NAMES[kind]}" if given is not None else "is required")
