"""The kubelets of the lab's nodes, for pods that carry the annotation, request GPUs or are the GPU Operator's operands.

kwok plays all others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime
from functools import reduce

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Fates, Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Count, Create, Effect, Patch
from aiinfra.domains.kubernetes.lab.controllers.faults import is_operand
from aiinfra.domains.kubernetes.lab.controllers.hardware import asks_for_gpus
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Fate, Notice, next_transition
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    condition,
    deleting,
    name,
    namespace,
    timestamp,
    uid,
)
from aiinfra.domains.kubernetes.lab.standins.charts.release import KUBELET_ANNOTATION


@dataclass(slots=True)
class Kubelets:
    """Remembers when each pod last changed; everything else is in the API."""

    fates: Sequence[Fates] = ()
    """What decides on the containers of pods, besides the kubelet itself."""
    since: dict[str, float] = field(default_factory=dict)
    """Pod uid to the monotonic time of its last change."""
    settled: dict[str, tuple[str, Fate]] = field(default_factory=dict)
    """Pod uid to the resource version and fate for which no transition is left."""
    due: float | None = None
    """Monotonic time of the next transition that only waits for time to pass."""

    def reconcile(self, view: View, moment: Moment) -> Iterator[Effect | Again]:
        """Yield the transitions that are due, and when the next one is."""
        self.due = None
        alive = {uid(pod) for pod in view.pods}
        self.since = {key: value for key, value in self.since.items() if key in alive}
        self.settled = {key: value for key, value in self.settled.items() if key in alive}
        fates = [fates(view, moment) for fates in self.fates]
        for node in filter(kubelet_runs, view.nodes):
            for pod in filter(is_simulated, view.pods_on(name(node))):
                fate = reduce(Fate.and_, (fate_of(pod) for fate_of in fates), Fate())
                yield from self._due_effects(pod, fate, moment)
        if self.due is not None:
            yield Again(self.due)

    def _due_effects(self, pod: Object, fate: Fate, moment: Moment) -> Iterator[Effect]:
        picture = (str(pod["metadata"].get("resourceVersion")), fate)
        if self.settled.get(uid(pod)) == picture:
            return
        transition = next_transition(pod, fate, timestamp(moment.now))
        if transition is None:
            self.settled[uid(pod)] = picture
            return
        due = self.since.setdefault(uid(pod), moment.monotonic) + transition.after
        if due > moment.monotonic:
            self.due = due if self.due is None else min(self.due, due)
            return
        self.since[uid(pod)] = moment.monotonic
        yield Patch(ObjectRef.of(pod), {"status": transition.status}, "status")
        for notice in transition.notices:
            yield (Count if notice.counted else Create)(event(pod, notice, moment.now))


def kubelet_runs(node: Object) -> bool:
    """Whether the node's kubelet reports.

    A node that is not born yet has no condition Ready; one whose kubelet was stopped says False or Unknown.
    """
    return condition(node, "Ready") in ("", "True")


def is_simulated(pod: Object) -> bool:
    """Whether the lab's kubelets, not kwok, play the life of the pod."""
    if deleting(pod) or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return False
    player = annotation(pod, KUBELET_ANNOTATION)
    return player == "controllers" or asks_for_gpus(pod) or (not player and is_operand(pod))


def event(pod: Object, notice: Notice, now: datetime) -> Object:
    """Return the core/v1 Event for a notice; the same notice of the same pod has the same name."""
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
