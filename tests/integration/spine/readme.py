"""The README as a person works through it: files to write, commands to type, what they are said to print."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PATH = Path(__file__).parents[3] / "README.md"
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.M | re.S)
_FILE = re.compile(r"`([\w./-]+\.(?:py|yaml|toml))`")
_VARYING = (
    (re.compile(r"\b\d+(\.\d+)? s\b(?! ago)|\b\d+m\d\d\b"), "… s"),
    (re.compile(r"\bjust now\b|\b\d+ (s|min) ago\b"), "… ago"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+"), "…"),
)
LEFT_OUT = "…"


@dataclass(frozen=True, slots=True)
class Typed:
    """One command of a `console` block, and the lines below it."""

    line: str
    prints: str
    remark: str = ""
    """What stands behind it as a comment."""

    @property
    def words(self) -> Sequence[str]:
        return self.line.split()


def section(title: str, level: str = "##") -> str:
    """The text below a heading, up to the next of its level or above."""
    found = re.search(rf"^{level} {re.escape(title)}\n(.*?)(?=^#{{2,{len(level)}}} |\Z)", PATH.read_text(), re.M | re.S)
    assert found, title
    return found[1]


def files(text: str) -> Iterator[tuple[str, str]]:
    """Path and content of each block that is a file: the last path named before it."""
    for fence in _FENCE.finditer(text):
        if fence[2] in ("python", "yaml", "toml"):
            yield _FILE.findall(text[: fence.start()])[-1], textwrap.dedent(fence[3])


def typed(text: str) -> Iterator[Typed]:
    """Every command of the console blocks, in order; a comment behind it is none of its words."""
    for fence in _FENCE.finditer(text):
        if fence[2] == "console":
            for one in re.split(r"^\$ ", textwrap.dedent(fence[3]), flags=re.M)[1:]:
                line, _, prints = one.partition("\n")
                command, _, remark = line.partition("#")
                yield Typed(command.strip(), prints, remark.strip())


def timeless(said: str) -> str:
    """Without times, and without waiting lines: how many there are depends on the machine."""
    lines = [line for line in said.splitlines() if not re.search(r"\| (waiting|still|waits)", line)]
    text = "".join(f"{line}\n" for line in lines)
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return text


def in_order(said: str, stacks: Sequence[str]) -> str:
    """Stacks, and resources of one stack, that do not need each other run in any order: one stands below the other."""
    groups = groupby(said.splitlines(keepends=True), key=lambda line: _stack(line, stacks) is not None)
    return "".join(line for by_stack, lines in groups for line in (_below(lines, stacks) if by_stack else lines))


def _below(lines: Iterable[str], stacks: Sequence[str]) -> list[str]:
    """Stack by stack in the order of the file; what was made sorted, the rest of a stack as it came."""
    told = list(lines)
    by_stack = [[line for line in told if _stack(line, stacks) == stack] for stack in stacks]
    return [
        line for its in by_stack for made, group in groupby(its, _made) for line in (sorted(group) if made else group)
    ]


def _stack(line: str, stacks: Sequence[str]) -> str | None:
    """The stack of a line `vgpu   | started`, or `vgpu: 2 warnings`."""
    name = re.match(r"([a-z][a-z0-9_-]*) *(\||:)", line)
    return name[1] if name and name[1] in stacks else None


def _made(line: str) -> bool:
    return line.partition(" | ")[2].startswith(("created ", "updated "))


def steady(said: str) -> str:
    """As `timeless`, without the width of columns."""
    return re.sub(r" {2,}(?=\S)", "  ", timeless(said))


def agrees(said: str, shown: str) -> bool:
    """Whether a command said what is shown; a line `…` stands for any lines, and nothing shown for anything said."""
    if not shown:
        return True
    parts = [re.escape(steady(part)) for part in re.split(rf"^{LEFT_OUT}\n", shown, flags=re.M)]
    return re.fullmatch("(?:.*\n)*?".join(parts), steady(said)) is not None
