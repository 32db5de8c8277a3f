"""Aligned columns of plain text."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence


def width(text: str) -> int:
    """Return the number of columns that the text takes on a terminal."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def table(rows: Iterable[Sequence[str]], *, gap: int = 2, indent: int = 0) -> str:
    """Return the rows as aligned lines; the last column is never padded."""
    cells = [tuple(row) for row in rows]
    count = max((len(row) for row in cells), default=0)
    sizes = [max((width(row[at]) for row in cells if at < len(row)), default=0) for at in range(count)]
    lines = ((" " * gap).join(pad(cell, sizes[at]) for at, cell in enumerate(row)) for row in cells)
    return "\n".join((" " * indent + line).rstrip() for line in lines)


def truncate(text: str, columns: int) -> str:
    """Return the first line of the text, truncated with `…` to `columns`."""
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


def wrap(text: str, columns: int) -> str:
    """Return the text wrapped at words, with the indent of each line. Words longer than a line stay whole."""
    return "\n".join(_wrap_line(line, columns) for line in text.split("\n"))


def _wrap_line(line: str, columns: int) -> str:
    if width(_ESCAPES.sub("", line)) <= columns:
        return line
    indent = _INDENT.match(_ESCAPES.sub("", line))
    hanging = " " * (len(indent[0]) if indent else 0)
    return textwrap.fill(
        line, columns, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_INDENT = re.compile(r" *([^\w\s] )?")
"""Leading spaces and one sign."""
