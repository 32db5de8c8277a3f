"""A rehearsal as people and machines read it: a timeline, what was assumed, simulated and not checked, a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.errors import ErrorRecord, StepsFailed
from aiinfra.report.rehearsal import Rehearsal
from aiinfra.ui.durations import duration
from aiinfra.ui.ndjson import plain_value
from aiinfra.ui.tables import table
from aiinfra.ui.terminal import Terminal


def rehearsal_text(rehearsal: Rehearsal, terminal: Terminal) -> str:
    """One row an act on a clock that starts at zero, then the lists, then the verdict."""
    marks, clock, rows = terminal.marks, 0.0, []
    for act in rehearsal.acts:
        sign = terminal.paint(marks.done, "green") if act.passed else terminal.paint(marks.failed, "red")
        rows.append((f"+{duration(clock)}", sign, act.name, duration(act.report.seconds), act.why))
        clock += act.report.seconds
    parts = [f"rehearsal of {rehearsal.environment}", table(rows, indent=2)]
    parts += _list_lines("What it installs, and who judged it before:", rehearsal.packages)
    parts += _list_lines("Assumed, as the file does not say:", rehearsal.assumed)
    parts += _list_lines("Simulated:", rehearsal.simulated)
    parts += _list_lines("Not checked in a lab:", rehearsal.not_checked)
    return "\n".join((*parts, verdict(rehearsal, clock)))


def verdict(rehearsal: Rehearsal, seconds: float) -> str:
    """`passed: 3 of 3 in 1m12`."""
    good = sum(act.passed for act in rehearsal.acts)
    word = "passed" if rehearsal.passed else "failed"
    return f"{word}: {good} of {len(rehearsal.acts)} in {duration(seconds)}"


def _list_lines(title: str, sentences: Sequence[str]) -> list[str]:
    return [title, *(f"  {sentence}" for sentence in sentences)] if sentences else []


def exit_code(rehearsal: Rehearsal) -> int:
    """Return the exit code of the first act that failed with one, else 4."""
    if rehearsal.passed:
        return 0
    failed = (act.report.exit_code for act in rehearsal.acts if not act.passed)
    return next(failed, 0) or StepsFailed.exit_code


def errors(rehearsal: Rehearsal) -> list[ErrorRecord]:
    return [
        ErrorRecord("rehearsal.failed", f"{rehearsal.environment}: {act.name}", act.why)
        for act in rehearsal.acts
        if not act.passed
    ]


def rehearsal_json(rehearsal: Rehearsal) -> dict[str, object]:
    return {
        "environment": rehearsal.environment,
        "passed": rehearsal.passed,
        "acts": [
            {"name": act.name, "passed": act.passed, "why": act.why, "report": plain_value(act.report)}
            for act in rehearsal.acts
        ],
        "assumed": list(rehearsal.assumed),
        "simulated": list(rehearsal.simulated),
        "packages": list(rehearsal.packages),
        "not_checked": list(rehearsal.not_checked),
    }
