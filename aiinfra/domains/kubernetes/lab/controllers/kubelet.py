"""The kubelets of the lab's nodes, for pods that are annotated so or that ask for GPUs. kwok has all others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers import fate, policy
from aiinfra.domains.kubernetes.lab.controllers.effects import Create, Effect, Patch
from aiinfra.domains.kubernetes.lab.controllers.faults import Broken
from aiinfra.domains.kubernetes.lab.controllers.operands import KUBELET
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Fate, Notice, next_step
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    deleting,
    name,
    namespace,
    timestamp,
    uid,
)


@dataclass(slots=True)
class Kubelets:
    """Remembers since when each pod is as it is; everything else is in the API."""

    since: dict[str, float] = field(default_factory=dict)
    """Pod uid to the monotonic time of its last change."""
    settled: dict[str, tuple[str, Fate]] = field(default_factory=dict)
    """Pod uid to the version and fate for which there was no step to come."""
    due: float | None = None
    """Monotonic time of the next step that is only a matter of time."""

    def reconcile(self, view: View, broken: Broken, now: datetime, clock: float) -> Iterator[Effect]:
        """The steps that are due. `now` is the time of day, `clock` the monotonic one."""
        self.due = None
        instance = policy.active(view.of("ClusterPolicy"))
        alive = {uid(pod) for pod in view.pods}
        self.since = {key: value for key, value in self.since.items() if key in alive}
        self.settled = {key: value for key, value in self.settled.items() if key in alive}
        for node in view.nodes:
            mine = [pod for pod in view.pods_on(name(node)) if ours(pod)]
            state = fate.node_state(view, node, instance) if mine else fate.NodeState()
            for pod in mine:
                yield from self._step(pod, fate.fate(pod, view, state, instance, broken), now, clock)

    def _step(self, pod: Object, meets: Fate, now: datetime, clock: float) -> Iterator[Effect]:
        picture = (str(pod["metadata"].get("resourceVersion")), meets)
        if self.settled.get(uid(pod)) == picture:
            return
        step = next_step(pod, meets, timestamp(now))
        if step is None:
            self.settled[uid(pod)] = picture
            return
        due = self.since.setdefault(uid(pod), clock) + step.after
        if due > clock:
            self.due = due if self.due is None else min(self.due, due)
            return
        self.since[uid(pod)] = clock
        yield Patch(ObjectRef.of(pod), {"status": step.status}, "status")
        yield from (Create(event(pod, notice, now)) for notice in step.notices)


def ours(pod: Object) -> bool:
    if deleting(pod) or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return False
    return annotation(pod, KUBELET) == "controllers" or fate.asks_for_gpus(pod)


def event(pod: Object, notice: Notice, now: datetime) -> Object:
    """The core/v1 Event for a notice; the same notice of the same pod has the same name."""
    text = f"{uid(pod)} {notice.reason} {notice.message} {notice.container}"
    reference = {"apiVersion": "v1", "kind": "Pod", "name": name(pod), "namespace": namespace(pod), "uid": uid(pod)}
    field_path = {"fieldPath": f"spec.containers{{{notice.container}}}"} if notice.container else {}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{name(pod)}.{hashlib.sha256(text.encode()).hexdigest()[:16]}",
            "namespace": namespace(pod),
        },
        "involvedObject": reference | field_path,
        "type": notice.kind,
        "reason": notice.reason,
        "message": notice.message,
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "count": 1,
    }
