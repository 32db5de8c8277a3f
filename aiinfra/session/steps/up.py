"""`up` of one stack: skipped when nothing that its result depends on changed, run otherwise."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from aiinfra.engine.digest import keyed, outputs_text
from aiinfra.engine.journal import Success
from aiinfra.plan.planner import Step
from aiinfra.report.run import Outcome, Proof, Reason, StackResult, Verb
from aiinfra.session.run import Run
from aiinfra.session.steps.failure import failed_result
from aiinfra.session.steps.operation import changes_in, journaled, recorded, timed
from aiinfra.session.worlds import outdated, settle

if TYPE_CHECKING:
    from aiinfra.engine.host_records import OperationResult


def up(run: Run, step: Step) -> StackResult:
    """A failed step is a result, kept for `aiinfra why`."""
    return recorded(run, Verb.UP, timed(run, step.kind.kind, step.name, lambda: _up(run, step)))


def unchanged(run: Run, step: Step) -> StackResult | None:
    """The result of a stack whose last success had the digest of now; None when it must run."""
    known = run.journal.success(step.name)
    if not run.options.skip or known is None or known.digest != run.digest(step) or _renews(run, step, known):
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


def _renews(run: Run, step: Step, known: Success) -> bool:
    """Whether a proof must run again, as the world under it is not the one that it ran on. Says why."""
    if not step.kind.proves or not known.proved_on:
        return False
    if why := outdated(run, step, known.proved_on):
        run.renewed[step.name] = run.now().isoformat()
        run.say(f"{step.name}: proved before the world under it changed ({why}), so it is to run again")
    return bool(why)


def proof_of(success: Success, before: str = "") -> Proof | None:
    """None for a stack that proves nothing. `before` names the stack under it that changed after it ran."""
    at = success.proved_at
    return Proof(datetime.fromisoformat(at), success.simulated, before) if at else None


def _up(run: Run, step: Step) -> StackResult:
    if skipped := unchanged(run, step):
        return skipped
    known = run.journal.success(step.name)
    run.keep_renewed(step)
    digest = run.digest(step)
    started = time.monotonic()
    run.runner.prepare()
    anew = known is None
    if anew:
        for needed in sorted(step.needs):
            run.outputs_of(needed)
        settle(run, step)
    with journaled(run, Verb.UP, step.name):
        done = run.runner.operate(Verb.UP, step.name, run.program(step), refresh=anew and run.existed(step.name))
    if failed := failed_result(run, step.kind.kind, step.name, done):
        return failed
    return _succeeded(run, step, digest, done, seconds=time.monotonic() - started, before=known)


def _changes_under(run: Run, step: Step) -> dict[str, str]:
    known = ((stack, run.journal.success(stack)) for stack in run.stacks_under(step))
    return {str(stack): success.change for stack, success in known if success}


def _succeeded(
    run: Run, step: Step, digest: str, done: OperationResult, *, seconds: float, before: Success | None
) -> StackResult:
    """`before` is the success that this run began with: without one, what a failed run changed is not known."""
    run.outputs[step.name] = done.outputs
    revision = keyed(run.key, digest, outputs_text(done.outputs))
    run.revisions[step.name] = revision
    uid, proved_at, proved_on = (done.outputs.get(name) for name in ("uid", "proved_at", "proved_on"))
    changes = changes_in(done)
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
        proved_on=proved_on if isinstance(proved_on, Mapping) else {},
    )
    run.journal.succeed(step.name, success)
    return StackResult(
        step.name,
        step.kind.kind,
        Outcome.CHANGED if changes else Outcome.UNCHANGED,
        seconds,
        None if changes else Reason.NO_DIFFERENCE,
        changes,
        proof=proof_of(success),
    )
