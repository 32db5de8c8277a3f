"""What a document is after parsing: plain values in maps and lists, unresolved values as leaves; and paths into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from aiinfra.dataclass import dataclass
from aiinfra.stack import Ref, SecretSource

Tree = None | bool | int | float | str | Ref | SecretSource | Mapping[str, "Tree"] | Sequence["Tree"]
Loc = tuple[str | int, ...]
"""Path of a value: `("stacks", "nfd", "tolerations", 0)`."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong at a path, before anybody knows the line. `Places.problem` adds that."""

    at: Loc
    message: str
    hint: str = ""
    code: str = "config.invalid"
    quotable: bool = False
    """Quotes around what was written would mend it, and it may be shown."""
    at_key: bool = False
    """The key itself is wrong, not its value."""


def dotted(at: Loc) -> str:
    """`stacks.nfd.tolerations[0]`; a key with other signs is quoted: `values["nvidia.com/gpu"]`."""
    text = ""
    for part in at:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def is_map(tree: Tree) -> bool:
    return isinstance(tree, Mapping)


def is_list(tree: Tree) -> bool:
    return isinstance(tree, Sequence) and not isinstance(tree, str)


def children(tree: Tree) -> Iterator[tuple[str | int, Tree]]:
    """Keys and values of a map, indexes and items of a list, nothing of a leaf."""
    if isinstance(tree, Mapping):
        yield from tree.items()
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        yield from enumerate(tree)


def leaves(tree: Tree, at: Loc = ()) -> Iterator[tuple[Loc, Tree]]:
    """Every value that is no map and no list, with its path; an empty map or list is a leaf."""
    empty = True
    for key, value in children(tree):
        empty = False
        yield from leaves(value, (*at, key))
    if empty:
        yield at, tree


def at_path(tree: Tree, at: Loc) -> Tree:
    """The value at a path. Raises `KeyError` when there is none."""
    for part in at:
        tree = child(tree, part)
    return tree


def child(tree: Tree, part: str | int) -> Tree:
    """The value at one key or index. Raises `KeyError` when there is none."""
    if isinstance(tree, Mapping) and isinstance(part, str):
        return tree[part]
    if isinstance(part, int) and isinstance(tree, Sequence) and not isinstance(tree, str) and 0 <= part < len(tree):
        return tree[part]
    raise KeyError(part)


def as_tree(value: Any) -> Tree:
    """A checked value as the tree that a file would hold, defaults included."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {field.alias or name: as_tree(getattr(value, name)) for name, field in fields}
    if isinstance(value, Mapping):
        return {str(key): as_tree(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_tree(part) for part in value]
    return value  # type: ignore[no-any-return]  # a scalar or an unresolved value
