"""`destroy` of one stack: its resources are deleted, or, what it worked in being gone, dropped from the state."""

from __future__ import annotations

from dataclasses import replace

from aiinfra.catalog import Catalog, Kind
from aiinfra.errors import AiinfraError
from aiinfra.report.run import Outcome, Reason, StackResult, Verb
from aiinfra.session.run import Run
from aiinfra.session.steps.failure import failed_result, failure
from aiinfra.session.steps.operation import changes_in, journaled, record_failure, timed
from aiinfra.session.worlds import attended
from aiinfra.stack import StackName


def destroy(run: Run, stack: str, kind: str) -> StackResult:
    """Destroy a stack and return the result; a failure is a result too, recorded for `aiinfra why`."""
    return record_failure(run, Verb.DESTROY, timed(run, kind, stack, lambda: _destroy(run, stack, kind)))


def _destroy(run: Run, stack: str, kind: str) -> StackResult:
    if not run.existed(stack):
        return _nothing(run, stack, kind)
    with attended(run, stack, _installed(run, stack, kind)) as left_out, journaled(run, Verb.DESTROY, stack):
        done = run.runner.operate(Verb.DESTROY, stack)
    if failed := failed_result(run, kind, stack, done):
        return replace(failed, left_out=tuple(left_out))
    run.runner.remove(stack)
    run.journal.record_destroyed(stack)
    return StackResult(stack, kind, Outcome.DESTROYED, changes=changes_in(done), left_out=tuple(left_out))


def _installed(run: Run, stack: str, kind: str) -> Kind | None:
    """Return the kind of a stack, which may be no longer in the file, or no longer installed."""
    step = run.plan.steps.get(StackName(stack))
    return step.kind if step else Catalog.installed().get(kind)


def forget(run: Run, stack: str, kind: str, access: str) -> StackResult:
    """Drop the stack from the state without asking the world; `access` is the stack whose access is gone."""
    try:
        return _forget(run, stack, kind, access)
    except AiinfraError as error:
        return failure(run, kind, stack, error)


def _forget(run: Run, stack: str, kind: str, access: str) -> StackResult:
    if not run.existed(stack):
        return _nothing(run, stack, kind)
    held = run.deployment(stack).get("resources") or ()
    count = sum(not one["type"].startswith("pulumi:") for one in held)
    run.runner.remove(stack, force=True)
    run.journal.record_destroyed(stack)
    return StackResult(stack, kind, Outcome.FORGOTTEN, reason=Reason.ACCESS_GONE, related=access, forgotten=count)


def _nothing(run: Run, stack: str, kind: str) -> StackResult:
    run.journal.record_destroyed(stack)
    return StackResult(stack, kind, Outcome.DESTROYED, reason=Reason.NOT_THERE)
