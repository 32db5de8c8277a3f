"""What `doctor` found: a table, and the verdict. Unknown is never ok."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from aiinfra.errors import ErrorRecord, OutsideError
from aiinfra.stack import Finding
from aiinfra.ui.host_table import host_table
from aiinfra.ui.tables import table
from aiinfra.ui.terminal import Terminal

Examined = tuple[str, Finding]
"""What was asked about (`toolchain`, `secrets`, `state`, a stack), and one answer."""
_BAD = ("error", "unknown")
_COLOUR: Mapping[str, str] = {"ok": "green", "warning": "yellow", "error": "red", "unknown": "red"}


def findings_text(examined: Sequence[Examined], terminal: Terminal) -> str:
    """A row each: sign, subject, object, what was read and what is needed; a way out below those that need one.

    What is well with hosts stands in a table of its own above, one row a host.
    """
    hosts = "\n\n".join(_host_tables(examined, terminal))
    examined_all, examined = examined, [one for one in examined if not one[1].host or one[1].level != "ok"]
    rows = table([_row(one, terminal) for one in examined]).split("\n")
    hints = [finding.hint if finding.level != "ok" else "" for _, finding in examined]
    lines: list[str] = []
    for row, hint, following in zip(rows, hints, [*hints[1:], ""], strict=True):
        lines += [row, *_way_out(hint, terminal)] if hint and hint != following else [row]
    return "\n".join((*([hosts, ""] if hosts else []), *lines, verdict(examined_all)))


def _way_out(hint: str, terminal: Terminal) -> list[str]:
    """Below its row; what has several lines keeps them."""
    first, *more = hint.split("\n")
    return [f"  {terminal.marks.hint} {first}", *(f"    {line}" for line in more)]


def _host_tables(examined: Sequence[Examined], terminal: Terminal) -> Iterator[str]:
    """One for each stack that asks something of hosts, under its name."""
    for subject in dict.fromkeys(subject for subject, finding in examined if finding.host):
        yield f"{subject}\n{host_table([finding for one, finding in examined if one == subject], terminal)}"


def _row(one: Examined, terminal: Terminal) -> tuple[str, ...]:
    subject, finding = one
    sign = {"ok": terminal.marks.done, "warning": "!", "unknown": "?"}.get(finding.level, terminal.marks.failed)
    needed = "" if finding.level == "ok" else f"needed: {finding.needed}"
    source = f"[{finding.source}]" if finding.source else ""
    return (sign, subject, finding.about, finding.read, " ".join(filter(None, (needed, source))))


def verdict(examined: Sequence[Examined]) -> str:
    """`12 ok, 1 warning, 1 unknown: not ready`."""
    counts = {level: sum(finding.level == level for _, finding in examined) for level in _COLOUR}
    told = ", ".join(f"{count} {level}{_plural(level, count)}" for level, count in counts.items() if count)
    return f"{told}: {'not ready' if exit_code(examined) else 'ready'}"


def _plural(level: str, count: int) -> str:
    return "s" if count > 1 and level in ("warning", "error") else ""


def exit_code(examined: Sequence[Examined]) -> int:
    """3 when anything is wrong, or could not be told."""
    return OutsideError.exit_code if any(finding.level in _BAD for _, finding in examined) or not examined else 0


def errors(examined: Sequence[Examined]) -> list[ErrorRecord]:
    """The records of what is wrong or unknown."""
    return [
        ErrorRecord(
            finding.code, f"{subject}: {finding.about}", f"{finding.read}; needed: {finding.needed}", finding.hint
        )
        for subject, finding in examined
        if finding.level in _BAD
    ]


def findings_json(examined: Sequence[Examined]) -> dict[str, object]:
    return {"findings": [{"subject": subject, **asdict(finding)} for subject, finding in examined]}
