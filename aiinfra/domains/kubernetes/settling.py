"""Before a stack without a recorded success is run again: let the clusters that it works in come to rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiinfra.domain_run import RunContext
from aiinfra.domains.kubernetes.reach import ClusterHandle, clusters_of, recorded_access
from aiinfra.engine.events import Message, Waiting
from aiinfra.errors import StepError
from aiinfra.plan.planner import Step
from aiinfra.waiting import Stopped, Waiter

LIMIT: Final = 300.0
"""Seconds for what an interrupted run was deleting."""
RELEASE: Final = "kubernetes:helm.sh/v3:Release"


def settle(run: RunContext, step: Step) -> None:
    """Raises `StepError` when a cluster is another one, or something of the stack does not go away.

    A Helm release of a stack whose destroy was cut short may lack objects and not know it: it is installed anew.
    """
    existed = run.existed(step.name)
    for name in clusters_of(run.plan, step.name):
        handle = recorded_access(run, name) if name != step.name else None
        if handle is not None:
            whole = existed and not run.journal.half_destroyed(step.name)
            held = set(_releases(run.deployment(step.name))) if whole else set()
            _settle_cluster(run, step.name, handle, held, deep=existed)


def _settle_cluster(run: RunContext, stack: str, cluster: ClusterHandle, held: set[str], *, deep: bool) -> None:
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.objects import settling
    from aiinfra.domains.kubernetes.provider.clusters import other_cluster_error
    from aiinfra.domains.kubernetes.provider.step_errors import leftovers_error

    def wait(what: str, seconds: float) -> None:
        run.emit(Waiting(stack, what, seconds, None, run.now()))

    with KubeClient.from_kubeconfig(cluster.kubeconfig) as client:
        if (found := client.cluster_uid()) != cluster.uid:
            raise other_cluster_error(client.server, expected=cluster.uid, found=found)
        try:
            waiter = Waiter(LIMIT, stop=run.stop, on_wait=wait)
            forgotten, left = settling.settle(client, run.environment_id, stack, held, waiter, deep=deep)
        except Stopped as error:
            raise StepError("stopped while what a run left half-way went away", code="run.interrupted") from error
        if left:
            raise leftovers_error(client, left)
    for ref in forgotten:
        text = f"{stack}: removed {ref}, the record of a Helm release that is half-way or failed: it is installed again"
        run.emit(Message(text, run.now()))


def _releases(deployment: Mapping[str, Any]) -> Iterator[str]:
    """`namespace/name` of the Helm releases in a state."""
    for resource in deployment.get("resources") or ():
        if resource["type"] == RELEASE and not resource.get("delete"):
            yield resource["id"]
