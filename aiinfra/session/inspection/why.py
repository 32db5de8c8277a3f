"""Why a stack is as it is: what is recorded, what it waits for, and the present state of its worlds.

Reads only: no lock is taken and no lab is started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.engine.journal import Journal
from aiinfra.errors import ErrorRecord
from aiinfra.plan.graph import upstream
from aiinfra.plan.selection import require_stacks
from aiinfra.report.run import Failure
from aiinfra.report.status import State, Why, WorldState
from aiinfra.session.inspection.status import changes_in, lock_holder, stack_status
from aiinfra.session.session import Session
from aiinfra.session.worlds import world_states
from aiinfra.stack import StackName

WORST_FIRST: Sequence[State] = (
    "running", "failed", "interrupted", "partly destroyed", "drifted", "not created", "up"
)  # fmt: skip
"""Which stack is explained when none is named."""


def why(session: Session, stack: str = "") -> Why:
    """Explain a stack; without a name the first that a run works on, else the first of the worst state.

    Raises `ConfigError` for an unknown stack, `OutsideError` for an unreadable record.
    """
    require_stacks(session.plan, "STACK", [stack] if stack else [])
    with session.reading() as (place_words, place, engine):
        if place is None or engine is None:
            return _explained(session, StackName(stack) or next(iter(session.plan.steps)), place_words, _Seen(None))
        run = session.reading_run(place, engine, {})
        name = StackName(stack) or _worst(session, run.journal)
        now = list(world_states(run, name, _trouble(session, name, run.journal)))
        return _explained(session, name, place_words, _Seen(run.journal, now, changes_in(session, place, engine)))


def _worst(session: Session, journal: Journal) -> StackName:
    return min(session.plan.steps, key=lambda name: WORST_FIRST.index(stack_status(session, name, journal).state))


def _trouble(session: Session, stack: StackName, journal: Journal) -> Failure | None:
    """Return what its worlds are to be asked about: what a run waits for now, else the last failure."""
    known = stack_status(session, stack, journal)
    if known.running is None:
        return known.failure
    waiting = ErrorRecord("step.failed", stack, known.running.awaited)
    return Failure(known.running.verb, session.world.now(), 0.0, waiting) if known.running.awaited else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is recorded, and what the world says now."""

    journal: Journal | None
    now: Sequence[WorldState] = ()
    changed: Mapping[str, Sequence[str]] = field(default_factory=dict)


def _explained(session: Session, stack: StackName, place: str, seen: _Seen) -> Why:
    plan, journal = session.plan, seen.journal
    behind = upstream(plan.needs, [stack])
    records = {
        name: stack_status(session, name, journal, seen.changed.get(name, ())) for name in plan.steps if name in behind
    }
    waits = [record for name, record in records.items() if name != stack and record.state != "up"]
    return Why(
        environment=plan.environment.name,
        place=place,
        stack=records[stack],
        waits_for=sorted(waits, key=lambda record: record.state != "failed"),
        needs=[records[name] for name in plan.steps if name in plan.steps[stack].needs],
        needed_by=[str(name) for name, step in plan.steps.items() if stack in step.needs],
        holder=lock_holder(journal) if journal else None,
        now=seen.now,
    )
