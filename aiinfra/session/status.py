"""What is recorded of an environment, read without engine, network or secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiinfra.engine.journal import Journal
from aiinfra.engine.lock import Holder, read_holder
from aiinfra.session.session import Session
from aiinfra.session.work import proof_notes
from aiinfra.ui.durations import age


@dataclass(frozen=True, slots=True)
class StackStatus:
    stack: str
    kind: str
    state: Literal["up", "begun", "failed", "half destroyed", "not up", "no longer in the file"]
    at: datetime | None
    """When it was last seen to be as it should."""
    seconds: float | None
    """How long its last up took."""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Status:
    environment: str
    environment_id: str
    place: str
    """`lab (running)`, `lab (not running)`, `state s3://…`."""
    holder: Holder | None
    """Who holds the environment's lock."""
    stacks: Sequence[StackStatus]


def status(session: Session) -> Status:
    """The environment as last recorded. A remote state is asked through the engine host."""
    name = session.plan.environment.name
    with session.reading() as (told, place, engine):
        if place is None or engine is None:
            stacks = [StackStatus(n, s.kind.kind, "not up", None, None) for n, s in session.plan.steps.items()]
            return Status(name, "", told, None, stacks)
        journal = session.journal(place, engine)
        return Status(name, journal.environment_id() or "", told, read_holder(journal.notes), _stacks(session, journal))


def _stacks(session: Session, journal: Journal) -> list[StackStatus]:
    begun = set(journal.left_running())
    names = [*session.plan.steps, *(s for s in journal.known_stacks() if s not in session.plan.steps)]
    return [_stack(session, journal, str(name), begun) for name in names]


def _stack(session: Session, journal: Journal, name: str, begun: set[str]) -> StackStatus:
    known = journal.success(name)
    steps = {str(key): step for key, step in session.plan.steps.items()}
    kind = steps[name].kind.kind if name in steps else known.kind if known else ""
    if name in begun:
        return StackStatus(name, kind, "begun", None, None)
    if known is None:
        return _without_success(session, journal, name, kind)
    state: Literal["up", "no longer in the file"] = "up" if name in steps else "no longer in the file"
    return StackStatus(name, kind, state, known.at, known.seconds, proof_notes(known, session.world.now()))


def _without_success(session: Session, journal: Journal, name: str, kind: str) -> StackStatus:
    if failure := journal.failure(name):
        since = age((session.world.now() - failure.at).total_seconds())
        told = f"{failure.verb} failed {since}: aiinfra why {session.plan.environment.name} {name}"
        return StackStatus(name, kind, "failed", None, None, (told,))
    return StackStatus(name, kind, "half destroyed" if journal.half_destroyed(name) else "not up", None, None)
