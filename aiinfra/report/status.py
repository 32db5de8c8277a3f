"""What is recorded of an environment and its stacks, as values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from aiinfra.dataclass import dataclass
from aiinfra.report.run import Failure, Proof

State = Literal[
    "up", "drifted", "running", "interrupted", "failed", "partly destroyed", "not created", "no longer in the file"
]


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The run that holds the environment's lock."""

    command: str
    host: str
    pid: int
    at: datetime
    """When it began."""


@dataclass(frozen=True, slots=True)
class WorldState:
    """What one outside place says now."""

    place: str
    """What people call it: `cluster dc1`."""
    says: str
    """What it says: `answers, v1.36.3`."""
    answers: bool
    causes: Sequence[str] = ()
    """From leaf to root, what it shows of the stack's failure."""
    hint: str = ""
    looked: bool = False
    """Whether what the failure names could be looked at: without causes, it is then over."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a run is doing with a stack now, as the run itself noted it."""

    verb: str
    since: datetime | None
    """When it began; None in a note of an older version."""
    awaited: str = ""
    """What it waits for, by the names of objects; empty when it did not wait yet."""
    awaited_since: datetime | None = None
    causes: Sequence[str] = ()
    """Why what it waits for is not there, from leaf to root, as far as it has seen."""


@dataclass(frozen=True, slots=True)
class StackStatus:
    """One stack as last recorded."""

    stack: str
    kind: str
    state: State
    at: datetime | None = None
    """When it was last seen to be as it should."""
    seconds: float | None = None
    """How long its last up took."""
    proof: Proof | None = None
    failure: Failure | None = None
    changed: Sequence[str] = ()
    """What is not as its last success left it, one sentence each."""
    running: Running | None = None
    """What is being done with it; only in the state `running`."""


@dataclass(frozen=True, slots=True)
class Status:
    """An environment as last recorded."""

    environment: str
    environment_id: str
    place: str
    """`lab (runs)`, `lab (does not run)`, `state s3://…`."""
    holder: LockHolder | None
    """Who holds the environment's lock."""
    stacks: Sequence[StackStatus]


@dataclass(frozen=True, slots=True)
class Why:
    """All that is known of why a stack is as it is."""

    environment: str
    place: str
    stack: StackStatus
    waits_for: Sequence[StackStatus]
    """The stacks that it needs, directly or not, and that are not up; those that failed first."""
    needs: Sequence[StackStatus]
    needed_by: Sequence[str]
    holder: LockHolder | None
    now: Sequence[WorldState]
    """What each place that the stack works in says now."""
