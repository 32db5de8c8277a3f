"""What happens during a run, as values. Every view (live, plain, NDJSON, summaries) is drawn from these alone.

No event carries a secret: texts are masked before they become events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from aiinfra.errors import ErrorRecord


class Verb(StrEnum):
    PREVIEW = "preview"
    UP = "up"
    REFRESH = "refresh"
    DESTROY = "destroy"


class Outcome(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    """Skipped by its digest, or run with no change; `because` says which."""
    FAILED = "failed"
    BLOCKED = "blocked"
    """Not started, as a stack it needs failed."""
    SKIPPED = "skipped"
    """Left out by --only, --from, --until, or stopped before its start."""
    DESTROYED = "destroyed"
    FORGOTTEN = "forgotten"
    """Dropped from the state, its cluster being gone: nothing was asked and nothing removed."""
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RunStarted:
    verb: Verb
    environment: str
    stacks: Sequence[str]
    """In the order in which they are likely to run."""
    simulated: bool
    """True when the world is a lab."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """Something said about the run as a whole: a repaired lock, a lab that was started, a toolchain that is built."""

    text: str
    at: datetime
    level: str = "info"
    """`info` or `warning`."""


@dataclass(frozen=True, slots=True)
class StackWaits:
    """A stack that cannot start yet, and for whom it waits."""

    stack: str
    waits_for: Sequence[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class StackStarted:
    stack: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ResourceChanged:
    """One step on one resource."""

    stack: str
    type: str
    """A type token: `<provider>:<module>:<Type>`."""
    name: str
    operation: str
    """Pulumi's word: `create`, `update`, `delete`, `replace`, `same`, `read`, `refresh`."""
    state: str
    """`started`, `done` or `failed`."""
    at: datetime
    changed: Sequence[str] = ()
    """Dotted paths of the inputs that differ."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a stack waits for right now, by the names of its objects; repeated as a heartbeat."""

    stack: str
    what: str
    seconds: float
    """Since when, in seconds."""
    usual: float | None
    """How long it usually takes, in seconds, when that is known."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A line that the engine or a provider said about a stack."""

    stack: str
    severity: str
    """`info`, `warning` or `error`."""
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StackResult:
    """How one stack ended."""

    stack: str
    kind: str
    outcome: Outcome
    seconds: float
    because: str = ""
    changes: Mapping[str, int] = field(default_factory=dict)
    """Resources by operation: `{"create": 3}`."""
    error: ErrorRecord | None = None
    causes: Sequence[str] = ()
    """From the leaf to the root, without the message itself."""
    notes: Sequence[str] = ()
    """What a reader must know of the result: `the CUDA run was simulated`, `proof is 3 h old`."""


@dataclass(frozen=True, slots=True)
class StackEnded:
    result: StackResult
    at: datetime


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of a run; the last event, and the value behind `--output json` and the summaries."""

    verb: Verb
    environment: str
    environment_id: str
    results: Sequence[StackResult]
    seconds: float
    exit_code: int
    simulated: Sequence[str] = ()
    """What was simulated, one sentence each; empty on a real target."""
    errors: Sequence[ErrorRecord] = ()
    """Failures that belong to no stack: leftovers of a destroy, an interrupt."""
    nothing_left: Sequence[str] = ()
    """After destroy: where we looked and what we found, one sentence each."""
    not_asked: Sequence[str] = ()
    """After a destroy that was told to forget: where nobody looked, and why, one sentence each."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    report: RunReport
    at: datetime


Event = (
    RunStarted | Message | StackWaits | StackStarted | ResourceChanged | Waiting | Diagnostic | StackEnded | RunEnded
)
OnEvent = Callable[[Event], None]
