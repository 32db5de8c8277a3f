"""Where a value was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.model.tree import Loc, Tree


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text; both count from 1."""

    line: int
    column: int
    written: str = ""
    """The characters of a plain scalar: `4.10` where the value is 4.1."""

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text: its tree, and the marks of every key and value."""

    tree: Tree
    keys: Mapping[Loc, Mark] = field(default_factory=dict)
    values: Mapping[Loc, Mark] = field(default_factory=dict)
