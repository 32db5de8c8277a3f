"""`up` of one stack: skipped when nothing that its result depends on changed, run otherwise."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from typing import TYPE_CHECKING

from aiinfra.engine.digest import keyed, outputs_text
from aiinfra.engine.journal import Success
from aiinfra.plan.planner import Step
from aiinfra.report.run import Outcome, Proof, Reason, StackResult, Verb
from aiinfra.session.run import Run
from aiinfra.session.steps.failure import failed_result
from aiinfra.session.steps.operation import changes_in, journaled, record_failure, timed
from aiinfra.session.worlds import keep_snapshots, settle

if TYPE_CHECKING:
    from aiinfra.engine.host_records import OperationResult


def up(run: Run, step: Step) -> StackResult:
    """Bring a stack up and return the result; a failure is a result too, recorded for `aiinfra why`."""
    return record_failure(run, Verb.UP, timed(run, step.kind.kind, step.name, lambda: _up(run, step)))


def unchanged(run: Run, step: Step) -> StackResult | None:
    """Return the result of a stack whose last success has the current digest; None when it must run."""
    known = run.journal.success(step.name)
    if known is None or must_run(run, step) or known.digest != run.digest(step):
        return None
    run.revisions[step.name] = known.result
    return StackResult(
        step.name,
        step.kind.kind,
        Outcome.UNCHANGED,
        reason=Reason.INPUTS_UNCHANGED,
        last_seen=known.at,
        proof=proof_of(known),
    )


def must_run(run: Run, step: Step) -> bool:
    """Whether the stack runs although its digest may be that of its last success."""
    return not run.options.skip or run.options.refresh or step.name in run.changed


def proof_of(success: Success, before: str = "") -> Proof | None:
    """Return the proof of a success; None for a stack that proves nothing.

    `before` names the stack under it that changed after it ran.
    """
    at = success.proved_at
    return Proof(datetime.fromisoformat(at), success.simulated, before) if at else None


def _up(run: Run, step: Step) -> StackResult:
    if skipped := unchanged(run, step):
        return skipped
    digest = run.digest(step)
    started = time.monotonic()
    run.runner.prepare()
    before = run.journal.success(step.name)
    if before is None:
        for needed in sorted(step.needs):
            run.outputs_of(needed)
        settle(run, step)
    read_first = run.existed(step.name) if before is None else must_read(run, step)
    with journaled(run, Verb.UP, step.name):
        done = run.runner.operate(Verb.UP, step.name, run.program(step), refresh=read_first)
    if failed := failed_result(run, step.kind.kind, step.name, done):
        _suspect_what_failed(run, step)
        return failed
    return _succeeded(run, step, digest, done, seconds=time.monotonic() - started, before=before)


def must_read(run: Run, step: Step) -> bool:
    """Whether the world is read, field by field, before the stack is run."""
    return run.options.refresh or step.name in run.changed


def _suspect_what_failed(run: Run, step: Step) -> None:
    """A proof that fails says that what it proves is not as its success note has it, and runs again itself.

    After a failed update the state keeps the inputs of the last success, so the same inputs would be no difference.
    """
    if step.kind.proves:
        run.journal.notes.put(f"proof/{step.name}", run.now().isoformat().encode())
        for needed in step.needs:
            run.journal.suspect(needed, f"the proof {step.name} failed")


def _changes_under(run: Run, step: Step) -> dict[str, str]:
    known = ((stack, run.journal.success(stack)) for stack in run.stacks_under(step))
    return {str(stack): success.change for stack, success in known if success}


def _succeeded(
    run: Run, step: Step, digest: str, done: OperationResult, *, seconds: float, before: Success | None
) -> StackResult:
    """`before` is the success that this run began with: without one, what a failed run changed is not known."""
    run.outputs[step.name] = done.outputs
    changes = changes_in(done)
    revision = _revision(run, step, digest, done)
    run.revisions[step.name] = revision
    uid, proved_at = done.outputs.get("uid"), done.outputs.get("proved_at")
    success = Success(
        digest=digest,
        result=revision,
        at=run.now(),
        seconds=seconds,
        kind=step.kind.kind,
        uid=uid if isinstance(uid, str) else "",
        proved_at=proved_at if isinstance(proved_at, str) else "",
        simulated=done.outputs.get("simulated") is True,
        needs=tuple(step.needs),
        change=secrets.token_hex(6) if changes or before is None else before.change,
        proved_under=_changes_under(run, step) if step.kind.proves else {},
    )
    unread = keep_snapshots(run, step)
    run.journal.record_success(step.name, success)
    if unread:
        run.journal.suspect(step.name, unread)
    return StackResult(
        step.name,
        step.kind.kind,
        Outcome.CHANGED if changes else Outcome.UNCHANGED,
        seconds,
        None if changes else Reason.NO_DIFFERENCE,
        changes,
        proof=proof_of(success),
    )


def _revision(run: Run, step: Step, digest: str, done: OperationResult) -> str:
    """What stands for this result in the digests of stacks that refer to it; a repair is a new one."""
    repaired = run.now().isoformat() if step.name in run.changed and changes_in(done) else ""
    return keyed(run.key, digest, outputs_text(done.outputs), repaired)
