"""What the standard output can show: colour, redrawing, width, symbols. Decided once, from facts given.

Colour: `NO_COLOR` (https://no-color.org) beats `CLICOLOR_FORCE` and `FORCE_COLOR`, which beat "is it a terminal";
`CLICOLOR=0` and `TERM=dumb` mean none. Nothing is redrawn unless it is a terminal that can.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import TextIO

from aiinfra.dataclass import dataclass
from aiinfra.world import World

DEFAULT_WIDTH = 100
"""Columns for output that is no terminal."""


@dataclass(frozen=True, slots=True)
class Marks:
    """One sign per state of a stack."""

    done: str
    running: str
    waiting: str
    failed: str
    cause: str
    hint: str


UNICODE = Marks("✓", "●", "○", "✗", "←", "→")
ASCII = Marks("+", "*", ".", "x", "<-", "->")

_ANSI: Mapping[str, str] = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """How text may be drawn."""

    colour: bool = False
    live: bool = False
    width: int = DEFAULT_WIDTH
    marks: Marks = UNICODE

    @classmethod
    def of(cls, world: World, stream: TextIO | None = None) -> Terminal:
        """What `stream` (standard output when None) can show."""
        out = sys.stdout if stream is None else stream
        return cls.from_facts(world.environ, terminal=out.isatty(), encoding=getattr(out, "encoding", "") or "")

    @classmethod
    def from_facts(cls, environ: Mapping[str, str], *, terminal: bool, encoding: str) -> Terminal:
        able = terminal and environ.get("TERM", "") not in ("", "dumb")
        columns = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if terminal else DEFAULT_WIDTH
        unicode = encoding.lower().replace("-", "") in ("utf8", "utf8sig")
        return cls(_colour(environ, able), able and unicode, columns, UNICODE if unicode else ASCII)

    def paint(self, text: str, *styles: str) -> str:
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(_ANSI[style] for style in styles)}m{text}\x1b[0m"


def _colour(environ: Mapping[str, str], able: bool) -> bool:
    if environ.get("NO_COLOR"):
        return False
    for name in ("CLICOLOR_FORCE", "FORCE_COLOR"):
        if environ.get(name, "0") not in ("", "0"):
            return True
    return able and environ.get("CLICOLOR", "1") != "0"
