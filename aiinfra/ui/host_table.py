"""Hosts against checks: one sign for each pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Literal

from aiinfra.stack import Finding
from aiinfra.ui.tables import width
from aiinfra.ui.terminal import Terminal

if TYPE_CHECKING:
    from rich.text import Text

Worst = Mapping[tuple[str, str], str]
"""The worst level by host and check."""
GAP = 3
"""Columns between two headings."""
_WORST = ("ok", "note", "warning", "unknown", "error")
_STYLES: Mapping[str, str] = {"ok": "green", "note": "dim", "warning": "yellow", "unknown": "red", "error": "red"}


def host_table(findings: Sequence[Finding], terminal: Terminal) -> str:
    """Return a row a host and a column a check, with the worst finding of each pair; empty when there are no hosts.

    Checks that do not fit beside each other are in a further table below: no heading is truncated.
    """
    about = [finding for finding in findings if finding.host]
    hosts = list(dict.fromkeys(finding.host for finding in about))
    worst = _worst(about)
    blocks = _blocks(list(dict.fromkeys(map(_check, about))), max(map(width, hosts), default=0), terminal.width)
    return "\n\n".join(_block(worst, hosts, checks, terminal) for checks in blocks)


def _blocks(checks: Sequence[str], hosts: int, columns: int) -> Iterator[list[str]]:
    """Yield the checks of each table: as many as fit, and at least one."""
    left = max(hosts, len("host"))
    block, used = list[str](), left
    for check in checks:
        if block and used + GAP + width(check) > columns:
            yield block
            block, used = [], left
        block.append(check)
        used += GAP + width(check)
    if block:
        yield block


def _block(worst: Worst, hosts: Sequence[str], checks: Sequence[str], terminal: Terminal) -> str:
    from rich.box import ASCII, SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    unicode = terminal.marks.done != "+"
    drawn = Table(box=SIMPLE_HEAD if unicode else ASCII, show_edge=False, pad_edge=False, header_style="")
    drawn.add_column("host", no_wrap=True)
    for check in checks:
        drawn.add_column(check.replace("_", " "), justify="center", no_wrap=True)
    for host in hosts:
        drawn.add_row(host, *(_sign(worst.get((host, check), ""), terminal) for check in checks))
    page = StringIO()
    colours: Literal["standard"] | None = "standard" if terminal.colour else None
    whole = max(map(width, hosts)) + sum(GAP + width(check) for check in checks) + GAP
    console = Console(file=page, width=max(whole, terminal.width), force_terminal=terminal.colour, color_system=colours)
    console.print(drawn)
    return "\n".join(line.rstrip() for line in page.getvalue().split("\n")).strip("\n")


def _check(finding: Finding) -> str:
    return finding.code.rpartition(".")[2]


def _worst(findings: Iterable[Finding]) -> Worst:
    worst: dict[tuple[str, str], str] = {}
    for finding in findings:
        pair = (finding.host, _check(finding))
        worst[pair] = max(worst.get(pair, "ok"), finding.level, key=_WORST.index)
    return worst


def _sign(level: str, terminal: Terminal) -> Text:
    from rich.text import Text

    marks = terminal.marks
    signs = {"ok": marks.done, "note": marks.waiting, "warning": "!", "unknown": "?", "error": marks.failed}
    return Text(signs.get(level, ""), style=_STYLES.get(level, ""))
