"""The table on a terminal: one row a stack, redrawn while the run goes on. Pure: `screen.py` puts it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from aiinfra.dataclass import dataclass
from aiinfra.ui.durations import duration
from aiinfra.ui.plain import awaited_words, headline
from aiinfra.ui.progress import Phase, Progress, StackProgress, activity_words
from aiinfra.ui.report import mark, outcome_words
from aiinfra.ui.tables import pad, truncate, width
from aiinfra.ui.terminal import Terminal


@dataclass(frozen=True, slots=True)
class Row:
    """One stack in the table, not yet cut to the terminal's width."""

    mark: str
    name: str
    time: str
    text: str
    phase: Phase


def rows(progress: Progress, now: datetime, terminal: Terminal) -> list[Row]:
    """Return the rows of the stacks, in the order of the run."""
    return [_row(stack, progress, now, terminal) for stack in progress.stacks.values()]


def _row(stack: StackProgress, progress: Progress, now: datetime, terminal: Terminal) -> Row:
    if stack.result is not None:
        text = outcome_words(stack.result, progress.verb, progress.environment, now)
        return Row(mark(stack.result.outcome, terminal), stack.name, _time(stack, now), text, stack.phase)
    if stack.phase is Phase.RUNNING:
        sign = terminal.paint(terminal.marks.running, "cyan")
        return Row(sign, stack.name, _time(stack, now), running_words(stack, now), stack.phase)
    waits = f"waits for {', '.join(stack.waits_for)}" if stack.waits_for else ""
    return Row(terminal.paint(terminal.marks.waiting, "dim"), stack.name, "", waits, stack.phase)


def _time(stack: StackProgress, now: datetime) -> str:
    return duration(stack.elapsed(now)) if stack.started else ""


def running_words(stack: StackProgress, now: datetime) -> str:
    """Return what a running stack waits for, or is doing, or finished last."""
    if stack.awaited:
        return awaited_words(stack.awaited.what, stack.awaited.seconds(now), stack.awaited.usual)
    if stack.working_on:
        return activity_words(stack)
    return stack.last or "starting"


def table_lines(progress: Progress, now: datetime, terminal: Terminal, height: int) -> list[str]:
    """Return the lines of the table: no line wider than the terminal, not more than `height` of them."""
    table = rows(progress, now, terminal)
    kept = table if len(table) < height else [row for row in table if row.phase is Phase.RUNNING]
    lines = list(_lines(kept[: max(1, height - 2)], terminal))
    if len(kept) < len(table):
        lines.append(truncate(_hidden(table), terminal.width))
    return [*lines, terminal.paint(truncate(_footer(progress, now), terminal.width), "dim")]


def _lines(table: Sequence[Row], terminal: Terminal) -> Iterator[str]:
    times = max((width(row.time) for row in table), default=0)
    names = min(max((width(row.name) for row in table), default=0), max(1, terminal.width - times - 4))
    for row in table:
        room = terminal.width - names - times - 6
        text = truncate(row.text, room) if room >= 8 else ""
        yield f"{row.mark} {pad(truncate(row.name, names), names)}  {pad(row.time, times)}  {text}".rstrip()


def _hidden(table: Sequence[Row]) -> str:
    counts = {phase: sum(row.phase is phase for row in table) for phase in Phase}
    return f"  {counts[Phase.ENDED]} ended, {counts[Phase.RUNNING]} running, {counts[Phase.WAITING]} not started"


def _footer(progress: Progress, now: datetime) -> str:
    took = duration((now - progress.started).total_seconds()) if progress.started else ""
    return f"{headline(progress)} · {took} · Ctrl-C: finish what runs, then stop"


def final_lines(progress: Progress, now: datetime, terminal: Terminal) -> list[str]:
    """Return the whole table at the end of the run; nothing is truncated."""
    table = rows(progress, now, terminal)
    names = max((width(row.name) for row in table), default=0)
    times = max((width(row.time) for row in table), default=0)
    return [f"{row.mark} {pad(row.name, names)}  {pad(row.time, times)}  {row.text}".rstrip() for row in table]
