"""What the sources of aiinfra tell users to run: commands and options in texts, with the values they are filled with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILLED = "FILLED"
"""What stands where a text is filled in."""
ARGUMENTS_OF_OTHERS = (
    "aiinfra/domains/kubernetes/charts/",
    "aiinfra/domains/kubernetes/lab/control_plane.py",
    "aiinfra/domains/kubernetes/lab/controllers/__main__.py",
    "aiinfra/domains/kubernetes/lab/real_operator.py",
    "aiinfra/domains/kubernetes/lab/server.py",
    "aiinfra/domains/vsphere/lab/simulator.py",
    "aiinfra/lab/lifecycle.py",
    "aiinfra/lab/supervisor.py",
    "aiinfra/toolchain/golang.py",
    "aiinfra/toolchain/table.py",
)
"""Files whose `--options` are of programs that aiinfra starts."""
OTHERS = re.compile(r"(?:kubectl|nvidia-smi|esxcli|pulumi|pip)\b[^;,]*")
"""A command of another program, with its options."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the sources that may be shown; `{…}` of an f-string or a template is `FILLED`."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@cache
def texts() -> tuple[Text, ...]:
    """Every string of the sources but docstrings."""
    files = [*(ROOT / "aiinfra").rglob("*.py"), *(ROOT / "stacks").rglob("*.py")]
    return tuple(text for file in sorted(files) for text in _texts_in(file))


def _texts_in(file: Path) -> Iterator[Text]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = {statement.value for node in ast.walk(tree) for statement in _bare(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped.update(part for part in ast.walk(node) if part is not node)
    for node in ast.walk(tree):
        if node not in skipped and (text := _text(node)) is not None:
            yield Text(str(file.relative_to(ROOT)), getattr(node, "lineno", 0), text)


def _bare(node: ast.AST) -> Iterator[ast.Expr]:
    body = getattr(node, "body", None)
    yield from (one for one in body if isinstance(one, ast.Expr)) if isinstance(body, list) else ()


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else FILLED for one in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{[a-z_.]*\}", FILLED, node.value)
    return None


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words after `aiinfra` of each command that a text names.

    Those are the subcommand, then placeholders, names that are filled in, and options with their values; the words of
    the sentence around are none of them.
    """
    for found in re.finditer(r"\baiinfra (?=[A-Za-z])([^`;,:()]*)", text):
        words = found.group(1).split()
        taken = [words[0]]
        for word in words[1:]:
            after_option = taken[-1].startswith("--")
            if not (word.startswith("-") or word.isupper() or FILLED in word or taken[-1] in GROUPS or after_option):
                break
            taken.append(word)
        yield taken


GROUPS = frozenset({"lab", "toolchain"})


def options(text: str) -> list[str]:
    """The `--options` of a text, without those of commands of other programs."""
    return re.findall(r"(?<![\w-])--[a-z][a-z-]+", OTHERS.sub("", text))
