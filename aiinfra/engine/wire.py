"""Property values as they are exchanged between stacks, programs, the engine host and providers.

A `Tree` is JSON plus two kinds of node: `Secret` around a value, and `UNKNOWN` for one that is not known yet.
The JSON form is Pulumi's own (gRPC marshalling with secrets and unknowns kept).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from aiinfra.dataclass import dataclass

SECRET_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_MARK: Final = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value not known yet, with the one instance `UNKNOWN`. It has no truth value, lest code branch on it."""

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth value")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be shown; its repr hides it."""

    value: Tree = field(repr=False)


Tree = None | bool | float | int | str | Sequence["Tree"] | Mapping[str, "Tree"] | Secret | Unknown


def decode(raw: Any) -> Tree:
    """Return the tree of a value in Pulumi's JSON form."""
    if raw == UNKNOWN_TEXT:
        return UNKNOWN
    if isinstance(raw, dict):
        if raw.get(SECRET_SIGNATURE) == SECRET_MARK:
            return Secret(decode(raw.get("value")))
        return {key: decode(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [decode(value) for value in raw]
    return raw  # type: ignore[no-any-return]  # a JSON scalar


def encode(tree: Tree) -> Any:
    """Return a tree in Pulumi's JSON form; the inverse of `decode`."""
    if isinstance(tree, Unknown):
        return UNKNOWN_TEXT
    if isinstance(tree, Secret):
        return {SECRET_SIGNATURE: SECRET_MARK, "value": encode(tree.value)}
    if isinstance(tree, Mapping):
        return {key: encode(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [encode(value) for value in tree]
    return tree


def reveal(tree: Tree) -> Any:
    """Return the plain value, secrets revealed. Raises `ValueError` when a part is unknown."""
    if isinstance(tree, Unknown):
        raise ValueError("a value is not known yet")  # noqa: TRY004
    if isinstance(tree, Secret):
        return reveal(tree.value)
    if isinstance(tree, Mapping):
        return {key: reveal(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [reveal(value) for value in tree]
    return tree


def holds_unknown(tree: Tree) -> bool:
    """Return whether a part of the value is unknown."""
    if isinstance(tree, Secret):
        return holds_unknown(tree.value)
    if isinstance(tree, Mapping):
        return any(map(holds_unknown, tree.values()))
    if isinstance(tree, list | tuple):
        return any(map(holds_unknown, tree))
    return isinstance(tree, Unknown)


def masked(tree: Tree) -> Any:
    """Return the value as a person may see it, with `<secret>` and `<not known yet>` in place."""
    if isinstance(tree, Unknown):
        return "<not known yet>"
    if isinstance(tree, Secret):
        return "<secret>"
    if isinstance(tree, Mapping):
        return {key: masked(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [masked(value) for value in tree]
    return tree
