"""Add the root cause that a cluster shows to an error that does not name one."""

from __future__ import annotations

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_text
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.errors import AiinfraError, StepError


def with_root_cause(error: StepError, kubeconfig: str) -> StepError:
    """Return the error with causes and a hint read from the cluster; unchanged when it has causes or none are found."""
    if error.causes:
        return error
    record = error.record
    try:
        with KubeClient.from_kubeconfig(kubeconfig) as client:
            found = diagnose_text(gather(client), record.message)
    except AiinfraError:  # a cluster that cannot be asked adds nothing; the error at hand is the one to show
        return error
    return StepError(
        record.message,
        causes=found.causes,
        code=record.code,
        where=record.where,
        hint=found.hint or record.hint,
        transient=record.transient,
    )
