"""Layers of values, strongest first, merged into one tree in which every value knows its layer.

Maps merge by key; anything else is replaced. Nothing here reads a file or a variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aiinfra.config.marks import Document, Mark
from aiinfra.dataclass import dataclass
from aiinfra.model.tree import Loc, Tree, children, dotted, is_list

NO_MARK = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one source."""

    source: str
    """A file as the user names it, `--set PATH`, a variable, or `default for target lab`."""
    document: Document
    at: Loc = ()
    """Where in the environment its tree stands."""
    marked: bool = False
    """Its marks are lines of `source`."""

    def has(self, at: Loc) -> bool:
        return at[: len(self.at)] == self.at and at[len(self.at) :] in self.document.values

    def where(self, at: Loc, *, key: bool = False) -> str:
        mark = self.mark(at, key=key)
        return f"{self.source}:{mark}" if self.marked else self.source

    def mark(self, at: Loc, *, key: bool = False) -> Mark:
        """The mark of the nearest place that the layer has."""
        below = at[len(self.at) :]
        if key and below in self.document.keys:
            return self.document.keys[below]
        return self.document.values.get(below, NO_MARK)


@dataclass(frozen=True, slots=True)
class Merged:
    """The tree of all layers, and the layers."""

    tree: Tree
    layers: Sequence[Layer]
    """Strongest first."""

    def owners(self, at: Loc) -> list[Layer]:
        """Layers that give a value here, strongest first: the first gives it, the others are overridden or merged."""
        return [layer for layer in self.layers if layer.has(at)]


class BadPath(Exception):
    """The path of a layer does not exist in the layers below it."""


def merge_layers(layers: Sequence[Layer]) -> Merged:
    """Merge layers, given strongest first. Raises `BadPath` for a path that no lower layer has."""
    tree: Tree = {}
    for layer in reversed(layers):
        tree = overlay(tree, layer.at, layer.document.tree)
    return Merged(tree, layers)


def overlay(low: Tree, at: Loc, high: Tree, walked: Loc = ()) -> Tree:
    """Return `low` with `high` merged into it at a path; missing maps on the way are created. Raises `BadPath`."""
    if not at:
        return merge(low, high)
    part, rest = at[0], at[1:]
    if isinstance(part, int):
        return _in_list(low, part, rest, high, walked)
    below: Mapping[str, Tree] = low if isinstance(low, Mapping) else {}
    if is_list(low):
        raise BadPath(f"{dotted(walked)} is a list, so {part} must be a number")
    return {**below, part: overlay(below.get(part), rest, high, (*walked, part))}


def _in_list(low: Tree, number: int, rest: Loc, high: Tree, walked: Loc) -> Tree:
    items = [value for _, value in children(low)] if is_list(low) else None
    if items is None:
        raise BadPath(f"{dotted(walked) or 'the environment'} is no list, so it has no [{number}]")
    if number > len(items):
        raise BadPath(f"{dotted(walked)} has {len(items)} entries, so [{number}] is not the next one")
    low_item = items[number] if number < len(items) else None
    return [*items[:number], overlay(low_item, rest, high, (*walked, number)), *items[number + 1 :]]


def merge(low: Tree, high: Tree) -> Tree:
    """Return `low` merged with `high`: maps merge by key, anything else is replaced."""
    if not (isinstance(low, Mapping) and isinstance(high, Mapping)):
        return high
    return {**low, **{key: merge(low[key], high[key]) if key in low else high[key] for key in high}}


def document_without_marks(tree: Tree) -> Document:
    """Return a document of values that no file holds."""
    return Document(tree, values={at: NO_MARK for at, _ in _every_path(tree)})


def _every_path(tree: Tree, at: Loc = ()) -> Iterator[tuple[Loc, Tree]]:
    yield at, tree
    for key, value in children(tree):
        yield from _every_path(value, (*at, key))
