"""Before a stack that no success stands behind is run again: let the clusters that it stands in come to rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from aiinfra.engine.events import Message, Waiting
from aiinfra.engine.wire import Tree, reveal
from aiinfra.errors import StepError
from aiinfra.plan.planner import Step
from aiinfra.waiting import Stopped, Waiter

if TYPE_CHECKING:
    from aiinfra.session.work import Turn

LIMIT: Final = 300.0
"""Seconds for what a run that died was deleting."""
RELEASE: Final = "kubernetes:helm.sh/v3:Release"


def settle(turn: Turn, step: Step) -> bool:
    """Whether the state knows the stack, so that its resources are to be read before it is run.

    A Helm release of a stack that was half destroyed may lack objects and not know it: it is installed anew.
    Raises `StepError` when a cluster is another one, or something of the stack does not go away.
    """
    stood = turn.stood(step.name)
    for name in sorted(step.needs):
        access = turn.outputs_of(name)
        if isinstance(reveal(access.get("kubeconfig")), str):
            whole = stood and not turn.journal.half_destroyed(step.name)
            held = set(_releases(turn.engine.host().export(step.name)["deployment"])) if whole else set()
            _settle_cluster(turn, step.name, access, held, deep=stood)
    return stood


def _settle_cluster(turn: Turn, stack: str, access: Mapping[str, Tree], held: set[str], *, deep: bool) -> None:
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.objects import settling
    from aiinfra.domains.kubernetes.provider.blame import left_behind
    from aiinfra.domains.kubernetes.provider.clusters import other_cluster

    def wait(what: str, seconds: float) -> None:
        turn.engine.on_event(Waiting(stack, what, seconds, None, turn.world.now()))

    with KubeClient.from_kubeconfig(str(reveal(access["kubeconfig"]))) as client:
        if (found := client.cluster_uid()) != access["uid"]:
            raise other_cluster(client.server, expected=str(access["uid"]), found=found)
        try:
            waiter = Waiter(LIMIT, stop=turn.stop, on_wait=wait)
            forgotten, left = settling.settle(client, turn.environment_id, stack, held, waiter, deep=deep)
        except Stopped as error:
            raise StepError("stopped while what a run left half-way went away", code="run.interrupted") from error
        if left:
            raise left_behind(client, left)
    for ref in forgotten:
        text = f"{stack}: removed {ref}, the record of a Helm release that is half-way or failed: it is installed again"
        turn.engine.on_event(Message(text, turn.world.now()))


def _releases(deployment: Mapping[str, Any]) -> Iterator[str]:
    """`namespace/name` of the Helm releases in a state."""
    for resource in deployment.get("resources") or ():
        if resource["type"] == RELEASE and not resource.get("delete"):
            yield resource["id"]
