"""What the user reads when a cluster refused, did not get ready, or something did not go: the root, with a way out."""

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

SHOWN = 5


def blamed(client: KubeClient, refusals: Sequence[Refusal], *, total: int) -> StepError:
    """The error for objects that the API server refused; the first refusal's root stands for all."""
    first = refusals[0].error
    message = "; ".join(refusal.error.record.message for refusal in refusals[:SHOWN])
    if len(refusals) > 1:
        message = f"{len(refusals)} of {total} objects were refused: {message}"
    return explained(client, first, message)


def explained(client: KubeClient, error: KubeError, message: str = "") -> StepError:
    """A refusal as a step's error, with what stands behind it."""
    record, found = error.record, Diagnosis()
    if isinstance(error, WebhookFailed | NoSuchKind) or error.reason == "Forbidden":
        found = _look(client, lambda snapshot: diagnose_text(snapshot, record.message))
    return StepError(
        message or record.message,
        causes=found.causes,
        code=record.code,
        where=record.where,
        hint=found.hint or record.hint,
        transient=record.transient,
    )


def not_ready(client: KubeClient, error: NotReady, after: str) -> StepError:
    """The error for wants that did not come true; `after` says how long they were given."""
    if error.refused:
        return explained(client, error.refused, f"{error.refused.record.message}, {after}")
    found = _look(client, lambda snapshot: diagnose_wants(snapshot, [want for want, _ in error.lacking]))
    seen = [verdict.summary if found.causes else verdict.sentence for _, verdict in error.lacking[:SHOWN]]
    return StepError(f"{'; '.join(seen)} {after}", causes=found.causes, code="kube.not_ready", hint=found.hint)


def left_behind(client: KubeClient, left: Sequence[Leftover]) -> StepError:
    """The error for objects that did not go."""
    return StepError(
        f"{left[0].ref} did not go away",
        causes=[left[0].why, *(f"also {item}" for item in left[1:SHOWN])],
        code="kube.stuck",
        hint="find out why its controller does not act; then run destroy again",
    )


def _look(client: KubeClient, judge: Callable[[Snapshot], Diagnosis]) -> Diagnosis:
    try:
        return judge(gather(client))
    except Unreachable:
        return Diagnosis()
