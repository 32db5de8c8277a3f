"""Why no node has a resource to spare: cordoned nodes, and the pods that hold it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, name, namespace, status
from aiinfra.domains.kubernetes.objects.quantities import count
from aiinfra.domains.kubernetes.objects.wants import allocatable

NAMED = 3
ENDED = frozenset({"Succeeded", "Failed"})


def causes(snapshot: Snapshot, resource: str) -> list[Cause]:
    """Return why no node that offers the resource has any of it to spare."""
    offering = [node for node in snapshot.all("Node") if allocatable(node, resource)]
    cordoned = [cause for node in offering if (cause := _cordoned(node))]
    return cordoned or [_taken(resource, node, held) for node in offering if (held := _held(snapshot, node, resource))]


def _cordoned(node: Object) -> Cause | None:
    if not node["spec"].get("unschedulable"):
        return None
    message = f"node {name(node)} is cordoned, so nothing new starts there"
    return Cause(message, f"kubectl uncordon {name(node)}", weight=Weight.BLOCKED)


def _held(snapshot: Snapshot, node: Object, resource: str) -> list[tuple[int, str]]:
    """Return `(8, "team-a/train")` for each pod of the node that holds some, the largest holder first."""
    found = (
        (units, f"{namespace(pod)}/{name(pod)}")
        for pod in snapshot.all("Pod")
        if pod["spec"].get("nodeName") == name(node) and status(pod).get("phase") not in ENDED
        if (units := _units(pod, resource))
    )
    return sorted(found, key=lambda each: (-each[0], each[1]))


def _units(pod: Object, resource: str) -> int:
    return sum(map(count, _limits(pod, resource)))


def _limits(pod: Object, resource: str) -> Iterator[str]:
    for container in pod["spec"]["containers"]:
        limits = (container.get("resources") or {}).get("limits") or {}
        if resource in limits:
            yield str(limits[resource])


def _taken(resource: str, node: Object, held: list[tuple[int, str]]) -> Cause:
    units = sum(each for each, _ in held)
    named = ", ".join(f"{pod} ({each})" for each, pod in held[:NAMED])
    more = f" and {len(held) - NAMED} more" if len(held) > NAMED else ""
    message = f"{units} of the {allocatable(node, resource)} {resource} of {name(node)} are taken by {named}{more}"
    return Cause(message, "end one of them, or add nodes with GPUs", weight=Weight.BLOCKED)
