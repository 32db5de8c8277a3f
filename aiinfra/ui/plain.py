"""Plain lines for CI and pipes: one line per happening, each with its stack in front, nothing redrawn."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.engine.events import (
    Diagnostic,
    Event,
    Message,
    ResourceChanged,
    RunEnded,
    RunStarted,
    StackEnded,
    StackStarted,
    StackWaits,
    Waiting,
)
from aiinfra.report.run import Outcome, Verb
from aiinfra.ui.durations import duration, limit
from aiinfra.ui.progress import PAST, Progress, StackProgress, short_type
from aiinfra.ui.report import mark, outcome_words, report_text
from aiinfra.ui.terminal import Terminal

STOPPED = "stopped while waiting"
"""What our providers say of an object that was awaited when the run was stopped."""


def lines(event: Event, progress: Progress, terminal: Terminal) -> Iterator[str]:
    """What to print for an event, given the run as it stands after it.

    A stack is shown as started when it does something: of an unchanged one the result is enough.
    """
    match event:
        case RunStarted():
            yield headline(progress)
        case Message():
            yield f"{'warning: ' if event.level == 'warning' else ''}{event.text}"
        case RunEnded():
            yield report_text(event.report, terminal)
        case StackEnded():
            result = event.result
            yield from unreported_errors(progress.of(result.stack), progress)
            prefix = f"{stack_prefix(result.stack, progress)} {mark(result.outcome, terminal)}"
            words = outcome_words(result, progress.verb, progress.environment, event.at)
            yield f"{prefix} {words}{_duration_suffix(result.outcome, result.seconds)}"
        case _:
            stack = progress.of(event.stack)
            if stack.news == 1 and _is_news(event):
                yield f"{stack_prefix(stack.name, progress)} started ({stack.kind})"
            if words := _event_words(event, progress.verb):
                yield f"{stack_prefix(event.stack, progress)} {words}"


def _is_news(event: StackWaits | StackStarted | ResourceChanged | Waiting | Diagnostic) -> bool:
    return isinstance(event, Waiting) or (isinstance(event, ResourceChanged) and event.operation != "same")


def unreported_errors(stack: StackProgress, progress: Progress) -> Iterator[str]:
    """Yield the errors that were reported of a stack and that its result does not repeat."""
    error = stack.result.error if stack.result else None
    stopped = stack.result is not None and stack.result.outcome is Outcome.INTERRUPTED
    for complaint in stack.complaints:
        if not (error and error.message in complaint) and not (stopped and STOPPED in complaint):
            yield f"{stack_prefix(stack.name, progress)} error: {complaint}"


def headline(progress: Progress) -> str:
    """`up lab · 4 stacks · simulated`."""
    count = len(progress.stacks)
    parts = [f"{progress.verb.value} {progress.environment}", f"{count} stack{'' if count == 1 else 's'}"]
    return " · ".join((*parts, *(["simulated"] if progress.simulated else [])))


def stack_prefix(stack: str, progress: Progress) -> str:
    """Return the name of a stack, as wide as the longest."""
    return f"{stack:<{max(map(len, progress.stacks), default=0)}} |"


def awaited_words(what: str, seconds: float, usual: float | None) -> str:
    """`waits 1m30 for DaemonSet nvidia-driver-daemonset (usually 4m)`."""
    usually = f" (usually {limit(usual)})" if usual else ""
    since = f"waits {duration(seconds)} for" if seconds >= 1 else "waits for"
    return f"{since} {what}{usually}"


def _duration_suffix(outcome: Outcome, seconds: float) -> str:
    return "" if outcome in (Outcome.BLOCKED, Outcome.SKIPPED, Outcome.FORGOTTEN) else f" · {duration(seconds)}"


def _event_words(event: StackWaits | StackStarted | ResourceChanged | Waiting | Diagnostic, verb: Verb) -> str:
    match event:
        case StackWaits() | StackStarted():
            return ""
        case Waiting():
            return awaited_words(event.what, event.seconds, event.usual)
        case Diagnostic():
            return f"warning: {event.text}" if event.severity == "warning" else ""
        case ResourceChanged():
            return _resource(event, verb)


def _resource(event: ResourceChanged, verb: Verb) -> str:
    if event.state == "started" or event.operation in ("same", "read"):
        return ""
    name = f"{short_type(event.type)} {event.name}"
    if event.state == "failed":
        return f"{event.operation} of {name} failed"
    done = f"would {event.operation}" if verb is Verb.PREVIEW else PAST.get(event.operation, event.operation)
    return f"{done} {name}" + (f" ({', '.join(event.changed)})" if event.changed else "")
