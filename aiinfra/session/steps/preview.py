"""`preview` of one stack: what an `up` would change."""

from __future__ import annotations

from aiinfra.engine.wire import UNKNOWN, Unknown
from aiinfra.plan.planner import Step
from aiinfra.report.run import Outcome, StackResult, Verb
from aiinfra.session.run import Run
from aiinfra.session.steps.certainty import certainty, refs_of
from aiinfra.session.steps.failure import failed_result
from aiinfra.session.steps.operation import changes_in, timed
from aiinfra.session.steps.up import must_read, unchanged


def preview(run: Run, step: Step) -> StackResult:
    """Preview a stack and return the result; a failure is a result too."""
    return timed(run, step.kind.kind, step.name, lambda: _preview(run, step))


def _preview(run: Run, step: Step) -> StackResult:
    upstream_runs = any(ref.stack in run.outputs for ref in refs_of(step))
    if not upstream_runs and (skipped := unchanged(run, step)):
        return skipped
    run.runner.prepare()
    done = run.runner.operate(Verb.PREVIEW, step.name, run.program(step), refresh=must_read(run, step))
    if failed := failed_result(run, step.kind.kind, step.name, done):
        return failed
    run.outputs[step.name] = {name: done.outputs.get(name, UNKNOWN) for name in step.kind.outputs.model_fields}
    changes = changes_in(done)
    if changes:
        run.changing.add(step.name)
    return StackResult(
        step.name,
        step.kind.kind,
        Outcome.CHANGED if changes else Outcome.UNCHANGED,
        changes=changes,
        certainty=str(certainty(run, step)) if changes else "",
        unknown_outputs=sorted(name for name, value in run.outputs[step.name].items() if isinstance(value, Unknown)),
    )
