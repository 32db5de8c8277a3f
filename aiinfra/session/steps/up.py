"""`up` of one stack: skipped when nothing that its result depends on changed, run otherwise."""

from __future__ import annotations

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
from aiinfra.session.worlds import settle

if TYPE_CHECKING:
    from aiinfra.engine.host_records import OperationResult


def up(run: Run, step: Step) -> StackResult:
    """Bring a stack up and return the result; a failure is a result too, recorded for `aiinfra why`."""
    return record_failure(run, Verb.UP, timed(run, step.kind.kind, step.name, lambda: _up(run, step)))


def unchanged(run: Run, step: Step) -> StackResult | None:
    """Return the result of a stack whose last success has the current digest; None when it must run."""
    known = run.journal.success(step.name)
    if not run.options.skip or known is None or known.digest != run.digest(step):
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


def proof_of(success: Success) -> Proof | None:
    """Return the proof of a success; None for a stack that proves nothing."""
    return Proof(datetime.fromisoformat(success.proved_at), success.simulated) if success.proved_at else None


def _up(run: Run, step: Step) -> StackResult:
    if skipped := unchanged(run, step):
        return skipped
    digest = run.digest(step)
    started = time.monotonic()
    run.runner.prepare()
    anew = run.journal.success(step.name) is None
    if anew:
        for needed in sorted(step.needs):
            run.outputs_of(needed)
        settle(run, step)
    with journaled(run, Verb.UP, step.name):
        done = run.runner.operate(Verb.UP, step.name, run.program(step), refresh=anew and run.existed(step.name))
    if failed := failed_result(run, step.kind.kind, step.name, done):
        return failed
    return _succeeded(run, step, digest, done, time.monotonic() - started)


def _succeeded(run: Run, step: Step, digest: str, done: OperationResult, seconds: float) -> StackResult:
    run.outputs[step.name] = done.outputs
    revision = keyed(run.key, digest, outputs_text(done.outputs))
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
    )
    run.journal.record_success(step.name, success)
    changes = changes_in(done)
    return StackResult(
        step.name,
        step.kind.kind,
        Outcome.CHANGED if changes else Outcome.UNCHANGED,
        seconds,
        None if changes else Reason.NO_DIFFERENCE,
        changes,
        proof=proof_of(success),
    )
