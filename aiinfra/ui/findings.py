"""What `doctor` found: tables of hosts, a sentence for each of the rest, the verdict. Unknown is never ok."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from aiinfra.errors import ErrorRecord, OutsideError
from aiinfra.stack import Finding
from aiinfra.ui.finding_groups import FindingGroup, group_findings
from aiinfra.ui.host_table import host_table
from aiinfra.ui.tables import pad, width
from aiinfra.ui.terminal import Terminal

Examined = tuple[str, Finding]
"""What was asked about (`toolchain`, `secrets`, `state`, a stack), and one answer."""
_BAD = ("error", "unknown")
_COLOUR: Mapping[str, str] = {
    "ok": "green",
    "note": "dim",
    "warning": "yellow",
    "error": "red",
    "unknown": "red",
}


def findings_text(examined: Sequence[Examined], terminal: Terminal) -> str:
    """Return what was read of each subject; below what is not ok, what is needed and the hint.

    What is ok with hosts is in a table of its own above, one row a host. Findings that several hosts or cards share
    are shown once. Lines are wrapped on a terminal, except for commands: those are copied.
    """
    hosts = "\n\n".join(_host_tables(examined, terminal))
    groups = group_findings([one for one in examined if not one[1].host or one[1].level != "ok"])
    subjects = max((width(subject) for subject, _, _ in groups), default=0)
    lines: list[str] = []
    for one, following in zip(groups, [*groups[1:], None], strict=True):
        lines += _finding_lines(one, following, subjects, terminal)
    return "\n".join((*([hosts, ""] if hosts else []), *lines, verdict(examined)))


def _finding_lines(
    one: FindingGroup, following: FindingGroup | None, subjects: int, terminal: Terminal
) -> Iterator[str]:
    """Yield the lines of one group. A hint that the next group repeats is left to that one."""
    subject, about, finding = one
    sign = {"ok": terminal.marks.done, "note": terminal.marks.waiting, "warning": "!", "unknown": "?"}.get(
        finding.level, terminal.marks.failed
    )
    hanging = " " * (len(sign) + 1 + subjects + 2)
    yield _wrap(f"{sign} {pad(subject, subjects)}  {about}: {finding.read}", hanging, terminal)
    if finding.level != "ok" and not (finding.level == "note" and not finding.hint):
        yield from _needed(finding, following, hanging, terminal)


def _needed(finding: Finding, following: FindingGroup | None, hanging: str, terminal: Terminal) -> Iterator[str]:
    """Yield what is needed, by which document, and how to get there."""
    source = f" [{finding.source}]" if finding.source else ""
    yield _wrap(f"{hanging}needed: {finding.needed}{source}", f"{hanging}  ", terminal)
    if finding.hint and (following is None or finding.hint != following[2].hint):
        first, *more = finding.hint.split("\n")
        yield _wrap(f"  {terminal.marks.hint} {first}", "    ", terminal)
        yield from (f"    {line}" for line in more)


def _wrap(line: str, hanging: str, terminal: Terminal) -> str:
    if not terminal.live or width(line) <= terminal.width:
        return line
    return textwrap.fill(
        line, terminal.width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def _host_tables(examined: Sequence[Examined], terminal: Terminal) -> Iterator[str]:
    """Yield a table for each stack that asks something of hosts, under its name."""
    for subject in dict.fromkeys(subject for subject, finding in examined if finding.host):
        yield f"{subject}\n{host_table([finding for one, finding in examined if one == subject], terminal)}"


def verdict(examined: Sequence[Examined]) -> str:
    """`12 ok, 1 warning, 1 unknown: not ready`."""
    counts = {level: sum(finding.level == level for _, finding in examined) for level in _COLOUR}
    counted = ", ".join(f"{count} {level}{_plural(level, count)}" for level, count in counts.items() if count)
    return f"{counted}: {'not ready' if exit_code(examined) else 'ready'}"


def _plural(level: str, count: int) -> str:
    return "s" if count > 1 and level in ("note", "warning", "error") else ""


def exit_code(examined: Sequence[Examined]) -> int:
    """Return 3 when anything is wrong or unknown, else 0."""
    return OutsideError.exit_code if any(finding.level in _BAD for _, finding in examined) or not examined else 0


def errors(examined: Sequence[Examined]) -> list[ErrorRecord]:
    """Return the records of what is wrong or unknown."""
    return [
        ErrorRecord(
            finding.code, f"{subject}: {finding.about}", f"{finding.read}; needed: {finding.needed}", finding.hint
        )
        for subject, finding in examined
        if finding.level in _BAD
    ]


def findings_json(examined: Sequence[Examined]) -> dict[str, object]:
    return {"findings": [{"subject": subject, **asdict(finding)} for subject, finding in examined]}
