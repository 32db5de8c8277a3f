"""Makes the result of a stack whose operation failed: the error of its provider, with the root that the world tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aiinfra.engine.events import Outcome, StackResult
from aiinfra.engine.failure import parse_failure
from aiinfra.engine.wire import Secret
from aiinfra.errors import AiinfraError, StepError
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.engine.host_client import OperationResult
    from aiinfra.session.work import Turn


def failed_result(turn: Turn, kind: str, stack: str, done: OperationResult) -> StackResult | None:
    if done.interrupted or (done.error and turn.stop.is_set()):
        because = "stopped; what had begun is saved"
        return StackResult(stack, kind, Outcome.INTERRUPTED, 0.0, because, dict(done.changes))
    if not done.error and not done.failed_resources:
        return None
    text = done.failed_resources[0].message if done.failed_resources else done.error
    told = parse_failure(text) or parse_failure(done.error)
    error = told or _refused(done.code, _first_sentence(text or done.error))
    if turn.engine.place.gone() is None:
        error = _explained(turn, stack, error)
    return replace(failure(turn, kind, stack, error), changes=dict(done.changes))


def failure(turn: Turn, kind: str, stack: str, error: AiinfraError) -> StackResult:
    """The result of a stack that failed with this error, or as the place ended."""
    error = turn.engine.place.blamed(error)
    record = replace(error.record, where=error.record.where or stack)
    causes = error.causes if isinstance(error, StepError) else ()
    return StackResult(stack, kind, Outcome.FAILED, 0.0, error=record, causes=causes)


def _refused(code: str, sentence: str) -> StepError:
    """What no provider said. The host's own refusals have codes and ways out."""
    from aiinfra.engine.host_line import HOST_CODES, refusal

    if code not in HOST_CODES:
        return StepError(sentence)
    record = refusal(code, sentence, "").record
    return StepError(sentence, code=record.code, hint=record.hint)


def _explained(turn: Turn, stack: str, error: StepError) -> StepError:
    """With the root, when the cluster that the stack stands in can tell it."""
    from aiinfra.domains.kubernetes.diagnosis.explain import explained

    step = turn.plan.steps.get(StackName(stack))
    for needed in sorted(step.needs) if step else ():
        known = turn.outputs.get(needed) or (turn.engine.outputs(needed) if turn.stood(needed) else {})
        told = known.get("kubeconfig")
        access = told.value if isinstance(told, Secret) else told
        if isinstance(access, str):
            return explained(error, access)
    return error


def _first_sentence(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "the engine gave no reason"
