"""Errors for steps in which a cluster refused, did not become ready or kept an object: the root cause and a hint."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, NoSuchKind, Unreachable, WebhookFailed
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_text, diagnose_wants
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot
from aiinfra.domains.kubernetes.objects.applying import Refusal
from aiinfra.domains.kubernetes.objects.awaiting import NotReady
from aiinfra.domains.kubernetes.objects.removing import Leftover
from aiinfra.errors import StepError

MAX_SHOWN = 5


def refusals_error(client: KubeClient, refusals: Sequence[Refusal], *, total: int) -> StepError:
    """Return the error for objects that the API server refused, with the root cause of the first refusal."""
    first = refusals[0].error
    message = "; ".join(refusal.error.record.message for refusal in refusals[:MAX_SHOWN])
    if len(refusals) > 1:
        message = f"{len(refusals)} of {total} objects were refused: {message}"
    return refusal_error(client, first, message)


def refusal_error(client: KubeClient, error: KubeError, message: str = "") -> StepError:
    """Return a refusal as a step's error, with its root cause."""
    record, found = error.record, Diagnosis()
    if isinstance(error, WebhookFailed | NoSuchKind) or error.reason == "Forbidden":
        found = _diagnosis(client, lambda snapshot: diagnose_text(snapshot, record.message))
    return StepError(
        message or record.message,
        causes=found.causes,
        code=record.code,
        where=record.where,
        hint=found.hint or record.hint,
        transient=record.transient,
    )


def not_ready_error(client: KubeClient, error: NotReady, after: str) -> StepError:
    """Return the error for wants that did not hold; `after` says how long they were given."""
    if error.refused:
        return refusal_error(client, error.refused, f"{error.refused.record.message}, {after}")
    found = _diagnosis(client, lambda snapshot: diagnose_wants(snapshot, [want for want, _ in error.lacking]))
    seen = [verdict.summary if found.causes else verdict.sentence for _, verdict in error.lacking[:MAX_SHOWN]]
    return StepError(f"{'; '.join(seen)} {after}", causes=found.causes, code="kube.not_ready", hint=found.hint)


def leftovers_error(client: KubeClient, left: Sequence[Leftover]) -> StepError:
    """Return the error for objects that did not go."""
    return StepError(
        f"{left[0].ref} did not go away",
        causes=[left[0].why, *(f"also {item}" for item in left[1:MAX_SHOWN])],
        code="kube.stuck",
        hint=f"{left[0].hint or 'find out why its controller does not act'}; then run destroy again",
    )


def _diagnosis(client: KubeClient, judge: Callable[[Snapshot], Diagnosis]) -> Diagnosis:
    try:
        return judge(gather(client))
    except Unreachable:
        return Diagnosis()
