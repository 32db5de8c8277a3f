"""What is recorded of an environment, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from aiinfra.report.status import StackStatus, State, Status
from aiinfra.ui.durations import age, duration
from aiinfra.ui.ndjson import plain_value
from aiinfra.ui.report import proof_words
from aiinfra.ui.tables import table
from aiinfra.ui.terminal import Terminal


def status_text(status: Status, now: datetime, terminal: Terminal) -> str:
    """`lab · 7c41d0aa · lab (runs)`, then one row a stack, then who holds the lock."""
    head = " · ".join(filter(None, (status.environment, status.environment_id, status.place)))
    lines = [head, table([_row(stack, status.environment, now, terminal) for stack in status.stacks], indent=2)]
    if status.holder is not None:
        holder = status.holder
        since = age((now - holder.at).total_seconds())
        lines.append(f"held by `{holder.command}` on {holder.host}, pid {holder.pid}, begun {since}")
    return "\n".join(lines)


def _row(stack: StackStatus, environment: str, now: datetime, terminal: Terminal) -> tuple[str, ...]:
    marks = {"up": terminal.marks.done, "running": terminal.marks.running, "failed": terminal.marks.failed}
    marks |= {"drifted": "!", "interrupted": "!", "partly destroyed": "!"}
    mark = marks.get(stack.state, terminal.marks.waiting)
    details = " · ".join(filter(None, _details(stack, environment, now)))
    return (mark, stack.stack, stack.kind, stack.state, details)


def _details(stack: StackStatus, environment: str, now: datetime) -> Iterator[str]:
    ago = age((now - stack.at).total_seconds()) if stack.at else ""
    if stack.state == "failed" and stack.failure:
        yield f"{stack.failure.verb} failed {ago}: aiinfra why {environment} {stack.stack}"
        return
    yield f"last seen {ago}" if ago else ""
    yield f"took {duration(stack.seconds)}" if stack.seconds is not None else ""
    yield proof_words(stack.proof, now) if stack.proof else ""
    yield from stack.changed[:SHOWN]
    if hint := _HINTS.get(stack.state):
        yield hint.format(environment=environment)


SHOWN: Final = 2
"""Differences that are shown of one stack."""
_HINTS: Mapping[State, str] = {
    "drifted": "aiinfra up {environment} puts it right",
    "interrupted": "aiinfra up {environment} goes on from here",
    "partly destroyed": "aiinfra destroy {environment} goes on, aiinfra up {environment} brings it back",
}


def status_json(status: Status) -> dict[str, object]:
    return {"status": plain_value(status)}
