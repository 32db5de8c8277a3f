"""Hosts against checks: one sign for each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Literal

from aiinfra.stack import Finding
from aiinfra.ui.terminal import Terminal

if TYPE_CHECKING:
    from rich.text import Text

_WORST = ("ok", "warning", "unknown", "error")
_STYLES: Mapping[str, str] = {"ok": "green", "warning": "yellow", "unknown": "red", "error": "red"}


def host_table(findings: Sequence[Finding], terminal: Terminal) -> str:
    """A row a host, a column a check, the worst finding of each pair as its sign; empty when there are no hosts."""
    about = [finding for finding in findings if finding.host]
    if not about:
        return ""
    from rich.box import ASCII, SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    unicode = terminal.marks.done != "+"
    checks = list(dict.fromkeys(_check(finding) for finding in about))
    drawn = Table(box=SIMPLE_HEAD if unicode else ASCII, show_edge=False, pad_edge=False, header_style="")
    drawn.add_column("host", no_wrap=True)
    for check in checks:
        drawn.add_column(check.replace("_", " "), justify="center", vertical="bottom")
    for host in dict.fromkeys(finding.host for finding in about):
        levels = {check: _worst(about, host, check) for check in checks}
        drawn.add_row(host, *(_sign(levels[check], terminal) for check in checks))
    page = StringIO()
    colours: Literal["standard"] | None = "standard" if terminal.colour else None
    Console(file=page, width=terminal.width, force_terminal=terminal.colour, color_system=colours).print(drawn)
    return "\n".join(line.rstrip() for line in page.getvalue().split("\n")).strip("\n")


def _check(finding: Finding) -> str:
    return finding.code.rpartition(".")[2]


def _worst(findings: Sequence[Finding], host: str, check: str) -> str:
    levels = [finding.level for finding in findings if (finding.host, _check(finding)) == (host, check)]
    return max(levels, key=_WORST.index, default="")


def _sign(level: str, terminal: Terminal) -> Text:
    from rich.text import Text

    signs = {"ok": terminal.marks.done, "warning": "!", "unknown": "?", "error": terminal.marks.failed}
    return Text(signs.get(level, ""), style=_STYLES.get(level, ""))
