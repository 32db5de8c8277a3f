"""Why a stack is as it is: what is recorded, what it waits for, and the present state of its worlds.

Reads only: no lock is taken and no lab is started.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.engine.journal import Journal
from aiinfra.plan.graph import upstream
from aiinfra.plan.selection import known
from aiinfra.report.status import Why, WorldState
from aiinfra.session.inspection.status import lock_holder, stack_status
from aiinfra.session.session import Session
from aiinfra.session.worlds import world_states
from aiinfra.stack import StackName


def why(session: Session, stack: str) -> Why:
    """Explain a stack. Raises `ConfigError` for an unknown stack, `OutsideError` for an unreadable record."""
    known(session.plan, "STACK", [stack])
    name = StackName(stack)
    with session.reading() as (place_words, place, engine):
        if place is None or engine is None:
            return _why(session, name, place_words, None, [])
        run = session.reading_run(place, engine, {})
        return _why(session, name, place_words, run.journal, list(world_states(run, name, run.journal.failure(name))))


def _why(session: Session, stack: StackName, place: str, journal: Journal | None, now: Sequence[WorldState]) -> Why:
    plan = session.plan
    behind = upstream(plan.needs, [stack])
    records = {name: stack_status(session, name, journal) for name in plan.steps if name in behind}
    waits = [record for name, record in records.items() if name != stack and record.state != "up"]
    return Why(
        environment=plan.environment.name,
        place=place,
        stack=records[stack],
        waits_for=sorted(waits, key=lambda record: record.state != "failed"),
        needs=[records[name] for name in plan.steps if name in plan.steps[stack].needs],
        needed_by=[str(name) for name, step in plan.steps.items() if stack in step.needs],
        holder=lock_holder(journal) if journal else None,
        now=now,
    )
