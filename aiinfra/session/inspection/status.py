"""What is recorded of an environment, read without engine, network or secrets."""

from __future__ import annotations

from datetime import datetime

from aiinfra.engine.journal import Journal, Success
from aiinfra.engine.lock import read_holder
from aiinfra.report.run import Proof
from aiinfra.report.status import LockHolder, StackStatus, State, Status
from aiinfra.session.session import Session
from aiinfra.session.steps.up import proof_of
from aiinfra.stack import StackName


def status(session: Session) -> Status:
    """The environment as last recorded. A remote state is asked through the engine host."""
    name = session.plan.environment.name
    with session.reading() as (place_words, place, engine):
        if place is None or engine is None:
            stacks = [stack_status(session, name, None) for name in session.plan.steps]
            return Status(name, "", place_words, None, stacks)
        journal = session.journal(place, engine)
        names = [*session.plan.steps, *(s for s in journal.known_stacks() if s not in session.plan.steps)]
        stacks = [stack_status(session, str(name), journal) for name in names]
        return Status(name, journal.environment_id() or "", place_words, lock_holder(journal), stacks)


def lock_holder(journal: Journal) -> LockHolder | None:
    """The run that holds the environment's lock; None when nobody does."""
    holder = read_holder(journal.notes)
    if holder is None:
        return None
    return LockHolder(holder.command, holder.host, holder.pid, datetime.fromisoformat(holder.at))


def stack_status(session: Session, name: str, journal: Journal | None) -> StackStatus:
    """One stack as last recorded; `journal` is None where nothing is recorded at all."""
    step = session.plan.steps.get(StackName(name))
    if journal is None:
        return StackStatus(name, step.kind.kind if step else "", "not up")
    success, failure = journal.success(name), journal.failure(name)
    kind = step.kind.kind if step else success.kind if success else ""
    if name in journal.left_running():
        return StackStatus(name, kind, "begun", failure=failure)
    if success:
        state: State = "up" if step else "no longer in the file"
        return StackStatus(
            name, kind, state, success.at, success.seconds, _proof(session, name, success, journal), failure
        )
    if failure:
        return StackStatus(name, kind, "failed", failure.at, failure.seconds, failure=failure)
    return StackStatus(name, kind, "half destroyed" if journal.half_destroyed(name) else "not up")


def _proof(session: Session, name: str, success: Success, journal: Journal) -> Proof | None:
    """The proof of a stack, and which stack under it changed after it ran, or was not seen to be as it should since."""
    ran = {stack: journal.success(stack) for stack in session.plan.steps if stack in success.proved_under}
    newer = [stack for stack, known in ran.items() if not known or known.change != success.proved_under[stack]]
    return proof_of(success, newer[-1] if newer else "")
