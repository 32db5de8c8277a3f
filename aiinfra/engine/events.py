"""What happens during a run, as values. Every view (live, plain, NDJSON, summaries) is drawn from these alone.

No event carries a secret: texts are masked before they become events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aiinfra.dataclass import dataclass
from aiinfra.report.run import RunReport, StackResult, Verb


@dataclass(frozen=True, slots=True)
class RunStarted:
    verb: Verb
    environment: str
    stacks: Sequence[str]
    """The stacks in the order in which they are likely to run."""
    simulated: bool
    """True when the world is a lab."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A message about the run as a whole: a repaired lock, a lab that was started, a toolchain that is built."""

    text: str
    at: datetime
    level: str = "info"
    """`info` or `warning`."""


@dataclass(frozen=True, slots=True)
class StackWaits:
    """A stack that cannot start yet, and the stacks that it waits for."""

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
    """What a stack waits for now, by the names of objects; repeated as a heartbeat."""

    stack: str
    what: str
    seconds: float
    """How long it has waited, in seconds."""
    usual: float | None
    """How long it usually takes, in seconds, when that is known."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A line that the engine or a provider printed about a stack."""

    stack: str
    severity: str
    """`info`, `warning` or `error`."""
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StackEnded:
    result: StackResult
    at: datetime


@dataclass(frozen=True, slots=True)
class RunEnded:
    report: RunReport
    at: datetime


Event = (
    RunStarted | Message | StackWaits | StackStarted | ResourceChanged | Waiting | Diagnostic | StackEnded | RunEnded
)
OnEvent = Callable[[Event], None]
