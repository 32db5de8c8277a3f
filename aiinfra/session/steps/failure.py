"""The result of a failed stack: the error of its provider, with the root cause that the world shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aiinfra.engine.failure import last_words, parse_failure
from aiinfra.errors import AiinfraError, StepError
from aiinfra.report.run import Outcome, Reason, StackResult
from aiinfra.session.hints import with_environment
from aiinfra.session.run import Run
from aiinfra.session.worlds import with_root_cause

if TYPE_CHECKING:
    from aiinfra.engine.host_records import OperationResult


def failed_result(run: Run, kind: str, stack: str, done: OperationResult) -> StackResult | None:
    """Return the result of a failed or interrupted operation; None when it succeeded."""
    if done.interrupted or (done.error and run.stop.is_set()):
        return StackResult(stack, kind, Outcome.INTERRUPTED, reason=Reason.STOPPED, changes=dict(done.changes))
    if not done.error and not done.failed_resources:
        return None
    text = done.failed_resources[0].message if done.failed_resources else done.error
    error = parse_failure(text) or parse_failure(done.error) or _refused(done.code, last_words(text or done.error))
    if run.place.gone() is None:
        error = with_root_cause(run, stack, error)
    return replace(failure(run, kind, stack, error), changes=dict(done.changes))


def failure(run: Run, kind: str, stack: str, error: AiinfraError) -> StackResult:
    """Return the result of a stack that failed with this error, or because the place ended."""
    error = run.place.with_end_as_cause(error)
    hint = with_environment(error.record.hint, run.plan.environment.name)
    record = replace(error.record, where=error.record.where or stack, hint=hint)
    causes = error.causes if isinstance(error, StepError) else ()
    return StackResult(stack, kind, Outcome.FAILED, error=record, causes=causes)


def _refused(code: str, said: str) -> StepError:
    """Return the error for a failure in the words of others. The host's own refusals have codes and hints."""
    from aiinfra.engine.host_connection import HOST_CODES, refusal

    sentence = said or "the engine gave no reason"
    if code not in HOST_CODES:
        return StepError(sentence)
    record = refusal(code, sentence, "").record
    return StepError(sentence, code=record.code, hint=record.hint, transient=record.transient)
