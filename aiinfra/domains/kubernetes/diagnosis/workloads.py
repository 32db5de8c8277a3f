"""Why a Deployment, DaemonSet, StatefulSet or Job does not do its work. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis import pods, scheduling
from aiinfra.domains.kubernetes.diagnosis.cause import Cause
from aiinfra.domains.kubernetes.diagnosis.messages import one_line
from aiinfra.domains.kubernetes.diagnosis.refusals import refusal_cause
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, condition, name, status

PARTS = ("ReplicaSet", "Job")


def causes(snapshot: Snapshot, workload: Object) -> list[Cause]:
    """Return the causes of its pods, equal ones grouped, or why its pods are refused or its conditions are bad."""
    found = list(_pod_causes(snapshot, workload))
    return [*found, *_refusals(snapshot, workload)] or _condition_causes(snapshot, workload)


def pods_of(snapshot: Snapshot, workload: Object) -> list[Object]:
    """Return the pods that it owns, directly or through ReplicaSets and Jobs."""
    parts = [part for kind in PARTS for part in snapshot.owned(workload, kind)]
    return [pod for owner in (workload, *parts) for pod in snapshot.owned(owner, "Pod")]


def _pod_causes(snapshot: Snapshot, workload: Object) -> Iterator[Cause]:
    return pods.grouped_causes(snapshot, pods_of(snapshot, workload), name(workload))


def _refusals(snapshot: Snapshot, workload: Object) -> Iterator[Cause]:
    """Yield why pods are refused. Only while pods are missing, as events outlive their reason."""
    if not _lacks_pods(workload):
        return
    parts = [workload, *(part for kind in PARTS for part in snapshot.owned(workload, kind))]
    events = [event for part in parts for event in snapshot.warnings(part, "FailedCreate")]
    if events:
        root = refusal_cause(snapshot, str(events[0].get("message", "")))
        yield Cause(f"{name(workload)}: its pods are refused", because=(root,))


def _lacks_pods(workload: Object) -> bool:
    found = status(workload)
    if workload["kind"] == "DaemonSet":
        return bool(found.get("currentNumberScheduled", 0) < found.get("desiredNumberScheduled", 0))
    return bool(found.get("replicas", 0) < workload["spec"].get("replicas", 1))


def _condition_causes(snapshot: Snapshot, workload: Object) -> list[Cause]:
    """Return what its own conditions show, for when its pods show nothing."""
    for type in ("ReplicaFailure", "Failed"):
        if (found := condition(workload, type)).get("status") == "True":
            return [Cause(f"{name(workload)}: {one_line(str(found.get('message') or found.get('reason')))}")]
    if workload["kind"] == "DaemonSet" and not status(workload).get("desiredNumberScheduled"):
        return scheduling.no_node(snapshot, workload)
    return []
