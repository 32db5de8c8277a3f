"""What is recorded of an environment, and a quick look at whether the world still is so. No lock is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from aiinfra.engine.journal import Journal, Success
from aiinfra.engine.lock import read_holder
from aiinfra.errors import ConfigError
from aiinfra.report.run import Proof
from aiinfra.report.status import LockHolder, StackStatus, State, Status
from aiinfra.session.engine import Engine
from aiinfra.session.place.place import Place
from aiinfra.session.session import Session
from aiinfra.session.steps.up import proof_of
from aiinfra.session.worlds import find_changes
from aiinfra.stack import StackName


def status(session: Session) -> Status:
    """The environment as last recorded, with a quick look at whether what is up is still as it was left."""
    name = session.plan.environment.name
    with session.reading() as (place_words, place, engine):
        if place is None or engine is None:
            stacks = [stack_status(session, name, None) for name in session.plan.steps]
            return Status(name, "", place_words, None, stacks)
        journal = session.state.journal(place, engine)
        changed = changes_in(session, place, engine)
        names = [*session.plan.steps, *(s for s in journal.known_stacks() if s not in session.plan.steps)]
        stacks = [stack_status(session, str(name), journal, changed.get(str(name), ())) for name in names]
        return Status(name, journal.environment_id() or "", place_words, lock_holder(journal), stacks)


def changes_in(session: Session, place: Place, engine: Engine) -> Mapping[str, Sequence[str]]:
    """By stack that is up, what is not as its last success left it; nothing when a secret of the file is missing.

    While a run holds the environment, nothing is asked: what it is doing is no drift.
    """
    try:
        run = session.reading_run(place, engine, session.secrets())
    except ConfigError:
        return {}
    if read_holder(run.journal.notes) is not None:
        return {}
    return find_changes(run, (step for name, step in run.plan.steps.items() if run.journal.success(name)))


def lock_holder(journal: Journal) -> LockHolder | None:
    """The run that holds the environment's lock; None when nobody does."""
    holder = read_holder(journal.notes)
    if holder is None:
        return None
    return LockHolder(holder.command, holder.host, holder.pid, datetime.fromisoformat(holder.at))


def stack_status(session: Session, name: str, journal: Journal | None, changed: Sequence[str] = ()) -> StackStatus:
    """One stack as last recorded; `journal` is None where nothing is recorded at all."""
    step = session.plan.steps.get(StackName(name))
    if journal is None:
        return StackStatus(name, step.kind.kind if step else "", "not created")
    success, failure = journal.success(name), journal.failure(name)
    kind = step.kind.kind if step else success.kind if success else ""
    if success and name not in journal.left_running():
        state: State = "no longer in the file" if not step else "drifted" if changed else "up"
        proof = _proof(session, success, journal)
        return StackStatus(name, kind, state, success.at, success.seconds, proof, failure, changed)
    state = _state_without_success(name, journal)
    if state == "failed" and failure:
        return StackStatus(name, kind, state, failure.at, failure.seconds, failure=failure)
    running = journal.running(name) if state == "running" else None
    return StackStatus(name, kind, state, failure=failure, changed=journal.drift(name).splitlines(), running=running)


def _state_without_success(name: str, journal: Journal) -> State:
    if name in journal.left_running():
        return "running" if read_holder(journal.notes) is not None else "interrupted"
    states: Mapping[State, bool] = {
        "failed": journal.failure(name) is not None,
        "partly destroyed": journal.half_destroyed(name),
        "drifted": bool(journal.drift(name)),
        "interrupted": journal.interrupted(name),
    }
    return next((state for state, holds in states.items() if holds), "not created")


def _proof(session: Session, success: Success, journal: Journal) -> Proof | None:
    """Return the proof of a stack; it names the stack under it that changed, or lost its success, after it ran."""
    ran = {stack: journal.success(stack) for stack in session.plan.steps if stack in success.proved_under}
    newer = [stack for stack, known in ran.items() if not known or known.change != success.proved_under[stack]]
    return proof_of(success, newer[-1] if newer else "")
