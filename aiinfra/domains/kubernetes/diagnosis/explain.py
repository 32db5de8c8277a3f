"""Add the root cause that a cluster shows to an error that does not name one."""

from __future__ import annotations

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.diagnosis.diagnose import can_be_looked_at, diagnose_text
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.errors import AiinfraError, StepError


def with_root_cause(error: StepError, kubeconfig: str) -> StepError:
    """Return the error with causes and a hint read from the cluster; unchanged when it has causes or none are found."""
    return error if error.causes else look(error, kubeconfig)[0]


def look(error: StepError, kubeconfig: str) -> tuple[StepError, bool]:
    """Return the error with what the cluster shows of it now, and whether what it names could be looked at."""
    record = error.record
    try:
        with KubeClient.from_kubeconfig(kubeconfig) as client:
            snapshot = gather(client)
    except AiinfraError:  # a cluster that cannot be asked adds nothing; the error at hand is the one to show
        return error, False
    found = diagnose_text(snapshot, record.message)
    explained = StepError(
        record.message,
        causes=found.causes,
        code=record.code,
        where=record.where,
        hint=found.hint or record.hint,
        transient=record.transient,
    )
    return explained, can_be_looked_at(snapshot, record.message)
