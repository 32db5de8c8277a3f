"""Why a stack is as it is: what is recorded, what it waits for, and the present state of its worlds.

Reads only: no lock is taken and no lab is started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.engine.journal import Journal
from aiinfra.plan.graph import upstream
from aiinfra.plan.selection import require_stacks
from aiinfra.report.status import Why, WorldState
from aiinfra.session.inspection.status import changes_in, lock_holder, stack_status
from aiinfra.session.session import Session
from aiinfra.session.worlds import world_states
from aiinfra.stack import StackName


def why(session: Session, stack: str) -> Why:
    """Explain a stack. Raises `ConfigError` for an unknown stack, `OutsideError` for an unreadable record."""
    require_stacks(session.plan, "STACK", [stack])
    name = StackName(stack)
    with session.reading() as (place_words, place, engine):
        if place is None or engine is None:
            return _explained(session, name, place_words, _Seen(None))
        run = session.reading_run(place, engine, {})
        now = list(world_states(run, name, run.journal.failure(name)))
        return _explained(session, name, place_words, _Seen(run.journal, now, changes_in(session, place, engine)))


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
