"""What is recorded of an environment, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aiinfra.engine.lock import Holder
from aiinfra.ui.durations import age, duration
from aiinfra.ui.ndjson import plain_value
from aiinfra.ui.tables import table
from aiinfra.ui.terminal import Terminal


class StackStatus(Protocol):
    """One stack as last recorded."""

    @property
    def stack(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def notes(self) -> Sequence[str]: ...


class Status(Protocol):
    """An environment as last recorded."""

    @property
    def environment(self) -> str: ...
    @property
    def environment_id(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def holder(self) -> Holder | None: ...
    @property
    def stacks(self) -> Sequence[StackStatus]: ...


def status_text(status: Status, now: datetime, terminal: Terminal) -> str:
    """`lab · 7c41d0aa · lab (runs)`, then one row a stack, then who holds the lock."""
    head = " · ".join(filter(None, (status.environment, status.environment_id, status.place)))
    lines = [head, table([_row(stack, now, terminal) for stack in status.stacks], indent=2)]
    if status.holder is not None:
        holder = status.holder
        since = age((now - datetime.fromisoformat(holder.at)).total_seconds())
        lines.append(f"held by `{holder.command}` on {holder.host}, pid {holder.pid}, begun {since}")
    return "\n".join(lines)


def _row(stack: StackStatus, now: datetime, terminal: Terminal) -> tuple[str, ...]:
    marks = {"up": terminal.marks.done, "begun": terminal.marks.running, "failed": terminal.marks.failed}
    mark = marks.get(stack.state, terminal.marks.waiting)
    seen = f"last seen {age((now - stack.at).total_seconds())}" if stack.at else ""
    took = f"took {duration(stack.seconds)}" if stack.seconds is not None else ""
    details = " · ".join(filter(None, (seen, took, *stack.notes)))
    return (mark, stack.stack, stack.kind, _STATES.get(stack.state, stack.state), details)


_STATES: Mapping[str, str] = {"begun": "begun, not finished: run `aiinfra up` again"}


def status_json(status: Status) -> dict[str, object]:
    return {"status": plain_value(status)}
