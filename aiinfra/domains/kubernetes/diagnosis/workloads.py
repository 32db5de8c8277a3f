"""Why a Deployment, DaemonSet, StatefulSet or Job does not do its work. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis import placing, pods
from aiinfra.domains.kubernetes.diagnosis.cause import Cause
from aiinfra.domains.kubernetes.diagnosis.readings import clean
from aiinfra.domains.kubernetes.diagnosis.refusals import refused
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, condition, name, status

PARTS = ("ReplicaSet", "Job")


def why(scene: Scene, workload: Object) -> list[Cause]:
    """Its pods' causes, alike ones taken together; the refusal to make pods, when that is why there are none."""
    found = list(_of_pods(scene, workload))
    return [*found, *_refusals(scene, workload)] or _own_words(scene, workload)


def pods_of(scene: Scene, workload: Object) -> list[Object]:
    """Pods that it owns, through ReplicaSets or Jobs too."""
    parts = [part for kind in PARTS for part in scene.owned(workload, kind)]
    return [pod for owner in (workload, *parts) for pod in scene.owned(owner, "Pod")]


def _of_pods(scene: Scene, workload: Object) -> Iterator[Cause]:
    return pods.alike(scene, pods_of(scene, workload), name(workload))


def _refusals(scene: Scene, workload: Object) -> Iterator[Cause]:
    """Only while pods are missing: events outlive what they tell of."""
    if not _lacks_pods(workload):
        return
    parts = [workload, *(part for kind in PARTS for part in scene.owned(workload, kind))]
    events = [event for part in parts for event in scene.warnings(part, "FailedCreate")]
    if events:
        root = refused(scene, str(events[0].get("message", "")))
        yield Cause(f"{name(workload)}: its pods are refused", because=(root,))


def _lacks_pods(workload: Object) -> bool:
    found = status(workload)
    if workload["kind"] == "DaemonSet":
        return bool(found.get("currentNumberScheduled", 0) < found.get("desiredNumberScheduled", 0))
    return bool(found.get("replicas", 0) < workload["spec"].get("replicas", 1))


def _own_words(scene: Scene, workload: Object) -> list[Cause]:
    """What its own conditions say, when its pods say nothing."""
    for type in ("ReplicaFailure", "Failed"):
        if (found := condition(workload, type)).get("status") == "True":
            return [Cause(f"{name(workload)}: {clean(str(found.get('message') or found.get('reason')))}")]
    if workload["kind"] == "DaemonSet" and not status(workload).get("desiredNumberScheduled"):
        return placing.nowhere(scene, workload)
    return []
