"""How a run and each of its stacks ended, as values. `aiinfra.ui` turns them into words; JSON has their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from aiinfra.dataclass import dataclass
from aiinfra.errors import ErrorRecord


class Verb(StrEnum):
    PREVIEW = "preview"
    UP = "up"
    REFRESH = "refresh"
    DESTROY = "destroy"


class Outcome(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    """Skipped by its digest, or run with no change; `reason` says which."""
    FAILED = "failed"
    BLOCKED = "blocked"
    """Not started, as a stack it needs failed."""
    SKIPPED = "skipped"
    """Left out by --only, --from, --until, or stopped before its start."""
    DESTROYED = "destroyed"
    FORGOTTEN = "forgotten"
    """Dropped from the state, what it worked in being gone: nothing was asked and nothing removed."""
    INTERRUPTED = "interrupted"


class Reason(StrEnum):
    """Why a stack has its outcome, where the outcome alone does not say it."""

    INPUTS_UNCHANGED = "inputs_unchanged"
    """Nothing that its result depends on changed since `last_seen`, so it was skipped."""
    NO_DIFFERENCE = "no_difference"
    """It ran, and nothing differed."""
    AS_RECORDED = "as_recorded"
    """A refresh found the world as the state has it."""
    DRIFTED = "drifted"
    """A refresh found differences, and the next `up` puts them right."""
    DRIFTED_PARTLY_REPAIRABLE = "drifted_partly_repairable"
    """A refresh found differences, and the next `up` does not put all of them right."""
    NOT_UP = "not_up"
    """There is nothing of it to refresh."""
    NOT_THERE = "not_there"
    """There is nothing of it to destroy."""
    NEEDED_FAILED = "needed_failed"
    """A stack that it needs, `related`, did not succeed; `related_outcome` says how that one ended."""
    STOPPED = "stopped"
    """It was stopped while it ran; what had begun is saved."""
    NOT_STARTED = "not_started"
    """The run was stopped before the stack started."""
    ACCESS_GONE = "access_gone"
    """The stack `related`, which gave access to what it worked in, was forgotten."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a reader must know of a proof."""

    at: datetime
    """When it last ran with success."""
    simulated: bool
    """True when the evidence itself says that the run was simulated."""
    before: str = ""
    """The stack under it that changed after it ran; empty while the proof is current."""


@dataclass(frozen=True, slots=True)
class StackResult:
    """How one stack ended."""

    stack: str
    kind: str
    outcome: Outcome
    seconds: float = 0.0
    reason: Reason | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    """Resources by operation: `{"create": 3}`."""
    error: ErrorRecord | None = None
    causes: Sequence[str] = ()
    """From the symptom to the root cause, without the message itself."""
    last_seen: datetime | None = None
    """When it was last seen to be as it should, for a stack that was skipped."""
    proof: Proof | None = None
    certainty: str = ""
    """After a preview, how sure it is: `exact`, `likely: …`, `unknown until …`."""
    unknown_outputs: Sequence[str] = ()
    """After a preview, the outputs that an `up` will give."""
    drift: Sequence[str] = ()
    """What a refresh found changed by hand, one sentence each."""
    related: str = ""
    """The stack that `reason` speaks of."""
    related_outcome: Outcome | None = None
    forgotten: int = 0
    """Resources that were dropped from the state."""
    left_out: Sequence[str] = ()
    """After a destroy: steps of the software's own that could not run and were left out, one sentence each."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something of others that goes, or stops working, with what a destroy removes."""

    stack: str
    """The stack whose destroy takes it along."""
    what: str
    """`NodeFeatureRule network-operator-rule`"""
    loss: str
    """What becomes of it: `lost with CustomResourceDefinition nodefeaturerules.nfd.k8s-sigs.io`."""


def by_loss(dependents: Sequence[Dependent], most: int) -> list[tuple[str, str, str]]:
    """Return stack, names and loss of those that go together; `most` are named, then `and 4 more`."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in dependents:
        found.setdefault((one.stack, one.loss), []).append(one.what)
    return [(stack, _some(names, most), loss) for (stack, loss), names in found.items()]


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that a stack works by and that others may use too, and what a destroy of the stack made of it."""

    stack: str
    kind: str
    """`CustomResourceDefinition`"""
    name: str
    removed: bool
    why: str = ""
    """Why it was kept: `it was there before nfd`."""


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
    """After destroy: where was looked and what was found, one sentence each."""
    not_asked: Sequence[str] = ()
    """After a destroy with `--forget`: which places were not asked, and why, one sentence each."""
    dependents: Sequence[Dependent] = ()
    """What of others a destroy was allowed to take along."""
    shared: Sequence[Shared] = ()
    """After a destroy: what stacks worked by that others may use too, each with what became of it."""
    ended_at: datetime | None = None
    """The time from which the age of `StackResult.last_seen` and of proofs counts."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a stack's last operation failed; kept until one succeeds."""

    verb: str
    at: datetime
    seconds: float
    """How long it tried."""
    error: ErrorRecord
    causes: tuple[str, ...] = ()
    """From the leaf to the root, as reported then."""
