"""The `.status` of a pod as a whole, given its containers: conditions and phase. Pure.

The words are a kubelet's: kubernetes v1.36 pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.lab.controllers.view import Object

INIT, MAIN = "initContainerStatuses", "containerStatuses"
UNSTARTED = frozenset({"ContainerCreating", "PodInitializing"})


def completes(pod: Object) -> bool:
    """Whether its containers are expected to end."""
    return bool(pod["spec"].get("restartPolicy", "Always") != "Always")


def restarts(pod: Object) -> bool:
    """Whether a container that failed is started again."""
    return bool(pod["spec"].get("restartPolicy", "Always") != "Never")


def initial_status(pod: Object, now: str) -> Object:
    """Return the first status of a pod on its node: nothing has started."""
    waiting = "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
    statuses = {
        key: [_created(c, waiting) for c in pod["spec"].get(spec) or ()]
        for key, spec in ((INIT, "initContainers"), (MAIN, "containers"))
    }
    return with_conditions(pod, {"startTime": now, **{key: value for key, value in statuses.items() if value}}, now)


def has_sandbox(status: Object) -> bool:
    """Whether the node has set up the pod: a container has started, or is beyond waiting for that."""
    statuses = [*(status.get(INIT) or ()), *(status.get(MAIN) or ())]
    reasons = [(each["state"].get("waiting") or {}).get("reason") for each in statuses]
    return any(reason not in UNSTARTED for reason in reasons)


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
class _Value:
    """What a condition says, without its times."""

    status: bool
    reason: str = ""
    message: str = ""


def with_conditions(pod: Object, status: Object, now: str) -> Object:
    """Return `status` with phase and conditions made to fit its containers; `now` is a Kubernetes timestamp."""
    before = {c["type"]: c for c in pod.get("status", {}).get("conditions") or ()}
    values = _conditions(pod, status)
    conditions = [_condition(before.get(kind), kind, entry, now) for kind, entry in values.items()]
    return {**status, "phase": _phase(pod, status), "conditions": conditions}


def _conditions(pod: Object, status: Object) -> Mapping[str, _Value]:
    pending = _unready(status.get(INIT) or ())
    failing = _unready(status.get(MAIN) or ())
    if _phase(pod, status) == "Succeeded":
        ready = _Value(False, "PodCompleted")
    elif failing:
        ready = _Value(False, "ContainersNotReady", f"containers with unready status: [{' '.join(failing)}]")
    else:
        ready = _Value(True)
    incomplete = f"containers with incomplete status: [{' '.join(pending)}]"
    return {
        "PodReadyToStartContainers": _Value(has_sandbox(status)),
        "Initialized": _Value(False, "ContainersNotInitialized", incomplete) if pending else _Value(True),
        "Ready": ready,
        "ContainersReady": ready,
        "PodScheduled": _Value(True),
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


def _condition(before: Object | None, kind: str, value: _Value, now: str) -> Object:
    status = "True" if value.status else "False"
    since = before.get("lastTransitionTime") if before and before["status"] == status else now
    texts = {key: text for key, text in (("reason", value.reason), ("message", value.message)) if text}
    return {"type": kind, "status": status, "lastTransitionTime": since, "lastProbeTime": None, **texts}
