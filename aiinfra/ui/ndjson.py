"""`--events ndjson`: each event as one line of JSON.

The names of types and fields are a promise: `aiinfra.events/v1` only gains, never loses or renames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum

from aiinfra.engine import events
from aiinfra.engine.events import Event, RunEnded
from aiinfra.report.run import RunReport
from aiinfra.ui.envelope import EVENTS_SCHEMA, result

TYPES: Mapping[type, str] = {
    events.RunStarted: "run_started",
    events.Message: "message",
    events.StackWaits: "stack_waits",
    events.StackStarted: "stack_started",
    events.ResourceChanged: "resource_changed",
    events.Waiting: "waiting",
    events.Diagnostic: "diagnostic",
    events.StackEnded: "stack_ended",
    events.RunEnded: "run_ended",
}
RENAMED: Mapping[type, Mapping[str, str]] = {events.ResourceChanged: {"type": "resource_type", "name": "resource_name"}}
"""Fields whose name in the line differs from the event's, as `type` is the event's own."""

REPORT_HEAD = ("verb", "environment", "seconds", "exit_code")
"""What `run_ended` says of the report."""


def event_json(event: Event) -> dict[str, object]:
    """The line of an event. Of a report it has the head only: the whole of it is the stream's last line."""
    head = {"schema": EVENTS_SCHEMA, "type": TYPES[type(event)]}
    if isinstance(event, RunEnded):
        report = {name: plain_value(getattr(event.report, name)) for name in REPORT_HEAD}
        return {**head, **report, "at": event.at.isoformat()}
    return {**head, **_typed_fields(event)}


def _typed_fields(event: Event) -> dict[str, object]:
    renamed = RENAMED.get(type(event), {})
    return {renamed.get(name, name): value for name, value in _fields(event).items()}


def report_json(report: RunReport) -> dict[str, object]:
    """The document of `--output json` for a run."""
    payload = _fields(report)
    del payload["errors"], payload["exit_code"]
    failures = [result.error for result in report.results if result.error is not None]
    return result(report.verb.value, report.exit_code, (*failures, *report.errors), payload)


def plain_value(value: object) -> object:
    """A value of an event as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(item) for item in value]
    return value


def _fields(value: object) -> dict[str, object]:
    return {field.name: plain_value(getattr(value, field.name)) for field in fields(value)}  # type: ignore[arg-type]
