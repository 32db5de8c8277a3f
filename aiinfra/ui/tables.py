"""Aligned columns of plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def table(rows: Iterable[Sequence[str]], *, gap: int = 2, indent: int = 0) -> str:
    """Rows as lines whose columns begin below each other; the last column is never padded."""
    cells = [tuple(row) for row in rows]
    count = max((len(row) for row in cells), default=0)
    sizes = [max((width(row[at]) for row in cells if at < len(row)), default=0) for at in range(count)]
    lines = ((" " * gap).join(padded(cell, sizes[at]) for at, cell in enumerate(row)) for row in cells)
    return "\n".join((" " * indent + line).rstrip() for line in lines)


def cut(text: str, columns: int) -> str:
    """The first line of the text, not wider than `columns`; what is left out is shown as `…`."""
    line = text.partition("\n")[0]
    if width(line) <= columns:
        return line
    kept, used = "", 0
    for char in line:
        used += _columns(char)
        if used > columns - 1:
            break
        kept += char
    return kept.rstrip() + "…"
