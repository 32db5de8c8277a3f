"""What the user reads when a cluster refused or something did not go: the root, with a way out."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.errors import StepError
from aiinfra.kube.applying import Refusal
from aiinfra.kube.client import KubeClient
from aiinfra.kube.removing import Left

SHOWN = 5


def blamed(client: KubeClient, refusals: Sequence[Refusal], *, total: int) -> StepError:
    """The error for objects that the API server refused."""
    first = refusals[0].error
    message = "; ".join(refusal.error.record.message for refusal in refusals[:SHOWN])
    if len(refusals) > 1:
        message = f"{len(refusals)} of {total} objects were refused: {message}"
    record = first.record
    return StepError(message, code=record.code, where=record.where, hint=record.hint, transient=record.transient)


def left_behind(client: KubeClient, left: Sequence[Left]) -> StepError:
    """The error for objects that did not go."""
    return StepError(
        f"{left[0].ref} did not go away",
        causes=[left[0].why, *(f"also {item}" for item in left[1:SHOWN])],
        code="kube.stuck",
        hint="find out why its controller does not act; then run destroy again",
    )
