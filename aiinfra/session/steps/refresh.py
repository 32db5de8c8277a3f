"""`refresh` of one stack: the state is compared with the world."""

from __future__ import annotations

from dataclasses import replace

from aiinfra.plan.planner import Step
from aiinfra.report.run import Outcome, Reason, StackResult, Verb
from aiinfra.session.run import Run
from aiinfra.session.steps.drift import drift_in, repairable
from aiinfra.session.steps.failure import failed_result
from aiinfra.session.steps.operation import changes_in, journaled, record_failure, timed


def refresh(run: Run, step: Step) -> StackResult:
    """Refresh a stack and return the result; a stack that differs is run by the next `up`."""
    return record_failure(run, Verb.REFRESH, timed(run, step.kind.kind, step.name, lambda: _refresh(run, step)))


def _refresh(run: Run, step: Step) -> StackResult:
    name, kind, known = step.name, step.kind.kind, run.journal.success(step.name)
    if not run.existed(name):
        return StackResult(name, kind, Outcome.SKIPPED, reason=Reason.NOT_UP)
    with journaled(run, Verb.REFRESH, name):
        done = run.runner.operate(Verb.REFRESH, name)
    if failed := failed_result(run, kind, name, done):
        return failed
    changes = changes_in(done)
    drift = () if known and not changes else drift_in(run.deployment(name))
    if changes or drift:
        run.journal.keep_drift(name, "\n".join(drift) or "resources differ from the state")
        reason = Reason.DRIFTED if repairable(drift) else Reason.DRIFTED_PARTLY_REPAIRABLE
        return StackResult(name, kind, Outcome.CHANGED, reason=reason, changes=changes, drift=drift)
    if known:
        run.journal.record_success(name, replace(known, at=run.now()))
    return StackResult(name, kind, Outcome.UNCHANGED, reason=Reason.AS_RECORDED)
