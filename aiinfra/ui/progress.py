"""The state of a run, folded from its events. Pure: every view is a function of this.

progress = Progress()
for event in events: progress = advance(progress, event)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import Enum

from aiinfra.dataclass import dataclass
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
from aiinfra.report.run import RunReport, StackResult, Verb


class Phase(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a running stack waits for, and since when."""

    what: str
    since: float
    """Seconds that it had been awaited at `at`."""
    usual: float | None
    at: datetime

    def seconds(self, now: datetime) -> float:
        return self.since + max(0.0, (now - self.at).total_seconds())


@dataclass(frozen=True, slots=True)
class StackProgress:
    """The state of one stack."""

    name: str
    kind: str = ""
    phase: Phase = Phase.WAITING
    started: datetime | None = None
    waits_for: Sequence[str] = ()
    awaited: Awaited | None = None
    working_on: Mapping[str, str] = field(default_factory=dict)
    """Resources under way: `type name` to the operation."""
    finished: int = 0
    """Resources that were changed."""
    last: str = ""
    """The last thing that was finished: `created Namespace gpu-operator`."""
    result: StackResult | None = None
    complaints: Sequence[str] = ()
    """Errors that the engine and providers reported, each once."""
    news: int = 0
    """Events since the start that say more than that it runs."""
    heard: datetime | None = None
    """When the last event of this stack was."""

    def elapsed(self, now: datetime) -> float:
        """Seconds since the start; the final figure once it ended."""
        if self.result is not None:
            return self.result.seconds
        return max(0.0, (now - self.started).total_seconds()) if self.started else 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of the run."""

    verb: Verb = Verb.UP
    environment: str = ""
    simulated: bool = False
    started: datetime | None = None
    stacks: Mapping[str, StackProgress] = field(default_factory=dict)
    """In the order of the run."""
    messages: Sequence[Message] = ()
    report: RunReport | None = None

    def of(self, stack: str) -> StackProgress:
        return self.stacks.get(stack) or StackProgress(stack)

    def with_stack(self, stack: StackProgress) -> Progress:
        return replace(self, stacks={**self.stacks, stack.name: stack})


def advance(progress: Progress, event: Event) -> Progress:
    """Return the run after the event."""
    match event:
        case RunStarted():
            return _run_started(progress, event)
        case Message():
            return replace(progress, messages=(*progress.messages, event))
        case RunEnded():
            return replace(progress, report=event.report)
        case StackEnded():
            return progress.with_stack(_with_result(progress.of(event.result.stack), event.result))
        case _:
            return progress.with_stack(replace(_with_event(progress.of(event.stack), event), heard=event.at))


def _run_started(progress: Progress, event: RunStarted) -> Progress:
    stacks = {name: StackProgress(name) for name in event.stacks}
    return replace(
        progress,
        verb=event.verb,
        environment=event.environment,
        simulated=event.simulated,
        started=event.at,
        stacks=stacks,
        report=None,
    )


def _with_result(stack: StackProgress, result: StackResult) -> StackProgress:
    kind = result.kind or stack.kind
    return replace(stack, kind=kind, phase=Phase.ENDED, result=result, awaited=None, working_on={}, waits_for=())


def _with_event(
    stack: StackProgress, event: StackWaits | StackStarted | ResourceChanged | Waiting | Diagnostic
) -> StackProgress:
    match event:
        case StackWaits():
            return replace(stack, waits_for=tuple(sorted(event.waits_for)))
        case StackStarted():
            return replace(stack, kind=event.kind, phase=Phase.RUNNING, started=event.at, waits_for=())
        case Waiting():
            awaited = Awaited(event.what, event.seconds, event.usual, event.at)
            return replace(stack, awaited=awaited, news=stack.news + 1)
        case ResourceChanged():
            return _resource(stack, event)
        case Diagnostic():
            new = event.severity == "error" and event.text not in stack.complaints
            return replace(stack, complaints=(*stack.complaints, event.text)) if new else stack


def heartbeats(progress: Progress, now: datetime, silence: float) -> Iterator[Waiting]:
    """Yield a `Waiting` for each running stack without an event for `silence` seconds: what it is doing."""
    for stack in progress.stacks.values():
        if stack.phase is Phase.RUNNING and stack.heard and (now - stack.heard).total_seconds() >= silence:
            if stack.awaited:
                yield Waiting(stack.name, stack.awaited.what, stack.awaited.seconds(now), stack.awaited.usual, now)
            else:
                yield Waiting(stack.name, _overdue(stack), stack.elapsed(now), None, now)


def _overdue(stack: StackProgress) -> str:
    if not stack.working_on:
        return "the engine"
    return ", ".join(f"{name} to be {PAST.get(operation, operation)}" for name, operation in stack.working_on.items())


def activity_words(stack: StackProgress) -> str:
    """Return what a running stack is doing: `creating Bundle crds and 2 more`."""
    if not stack.working_on:
        return "the engine"
    (name, operation), *others = stack.working_on.items()
    return f"{PRESENT.get(operation, operation)} {name}" + (f" and {len(others)} more" if others else "")


PAST: Mapping[str, str] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "same": "kept",
    "read": "read",
    "refresh": "refreshed",
    "import": "imported",
    "create-replacement": "created",
    "delete-replaced": "deleted",
    "discard": "dropped",
}
PRESENT: Mapping[str, str] = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "replace": "replacing",
    "same": "checking",
    "read": "reading",
    "refresh": "refreshing",
    "import": "importing",
    "create-replacement": "creating",
    "delete-replaced": "deleting",
    "discard": "dropping",
}


def short_type(token: str) -> str:
    """`<provider>:<module>:Namespace` as `Namespace`."""
    return token.rpartition(":")[2]


def _resource(stack: StackProgress, event: ResourceChanged) -> StackProgress:
    name = f"{short_type(event.type)} {event.name}"
    if event.state == "started":
        return replace(stack, working_on={**stack.working_on, name: event.operation}, news=stack.news + 1)
    working_on = {key: value for key, value in stack.working_on.items() if key != name}
    if event.state == "failed" or event.operation == "same":
        return replace(stack, working_on=working_on, awaited=None)
    last = f"{PAST.get(event.operation, event.operation)} {name}"
    finished, news = stack.finished + 1, stack.news + 1
    return replace(stack, working_on=working_on, awaited=None, finished=finished, last=last, news=news)
