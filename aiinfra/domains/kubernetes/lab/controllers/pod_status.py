"""The `.status` of a pod as a whole, given its containers: conditions and phase. Pure.

The words are a kubelet's: kubernetes v1.36 pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiinfra.domains.kubernetes.lab.controllers.view import Object

INIT, MAIN = "initContainerStatuses", "containerStatuses"


def completes(pod: Object) -> bool:
    """Whether its containers are expected to end."""
    return bool(pod["spec"].get("restartPolicy", "Always") != "Always")


def restarts(pod: Object) -> bool:
    """Whether a container that failed is started again."""
    return bool(pod["spec"].get("restartPolicy", "Always") != "Never")


def admitted(pod: Object, now: str) -> Object:
    """The first status on the node: nothing has started."""
    waiting = "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
    statuses = {
        key: [_created(c, waiting) for c in pod["spec"].get(spec) or ()]
        for key, spec in ((INIT, "initContainers"), (MAIN, "containers"))
    }
    return whole(pod, {"startTime": now, **{key: value for key, value in statuses.items() if value}}, now)


def _created(container: Object, waiting: str) -> Object:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": waiting}},
    }


@dataclass(frozen=True, slots=True)
class _Said:
    status: bool
    reason: str = ""
    message: str = ""


def whole(pod: Object, status: Object, now: str) -> Object:
    """`status` with phase and conditions made to fit its containers; `now` is a Kubernetes timestamp."""
    before = {c["type"]: c for c in pod.get("status", {}).get("conditions") or ()}
    said = _conditions(pod, status)
    conditions = [_condition(before.get(kind), kind, entry, now) for kind, entry in said.items()]
    return {**status, "phase": _phase(pod, status), "conditions": conditions}


def _conditions(pod: Object, status: Object) -> Mapping[str, _Said]:
    pending = _unready(status.get(INIT) or ())
    failing = _unready(status.get(MAIN) or ())
    if _phase(pod, status) == "Succeeded":
        ready = _Said(False, "PodCompleted")
    elif failing:
        ready = _Said(False, "ContainersNotReady", f"containers with unready status: [{' '.join(failing)}]")
    else:
        ready = _Said(True)
    incomplete = f"containers with incomplete status: [{' '.join(pending)}]"
    return {
        "PodReadyToStartContainers": _Said(True),
        "Initialized": _Said(False, "ContainersNotInitialized", incomplete) if pending else _Said(True),
        "Ready": ready,
        "ContainersReady": ready,
        "PodScheduled": _Said(True),
    }


def _unready(statuses: Sequence[Object]) -> list[str]:
    return [status["name"] for status in statuses if not status["ready"]]


def _phase(pod: Object, status: Object) -> str:
    containers = status.get(MAIN) or ()
    if _unready(status.get(INIT) or ()) or not any("waiting" not in c["state"] or "lastState" in c for c in containers):
        return "Pending"
    ended = [c["state"]["terminated"]["exitCode"] for c in containers if "terminated" in c["state"]]
    if not completes(pod) or len(ended) < len(containers):
        return "Running"
    if any(ended):
        return "Running" if restarts(pod) else "Failed"
    return "Succeeded"


def _condition(before: Object | None, kind: str, said: _Said, now: str) -> Object:
    status = "True" if said.status else "False"
    since = before.get("lastTransitionTime") if before and before["status"] == status else now
    texts = {key: value for key, value in (("reason", said.reason), ("message", said.message)) if value}
    return {"type": kind, "status": status, "lastTransitionTime": since, "lastProbeTime": None, **texts}
