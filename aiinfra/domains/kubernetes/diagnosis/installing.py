"""What is normal while a GPU Operator is installed or changes, and looks like trouble to who sees one pod. Pure.

Operands wait for each other: until the container toolkit has configured the container runtime, which is after the
driver was built, kubelets refuse the sandboxes of all pods that ask for its runtime, and say so in warnings all the
time. Validations fail and are started again. See NVIDIA/gpu-operator v26.7.0 controllers/object_controls.go
(`setRuntimeClassName`), cmd/nvidia-validator/main.go, and its issues 413, 549 and 730. The refusals are those of
containerd (`no runtime for %q is configured`) and CRI-O (`failed to find runtime handler %s from runtime list %v`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, condition, labels, name, namespace, status

DRIVER_APP: Final = "nvidia-driver-daemonset"
TOOLKIT_APP: Final = "nvidia-container-toolkit-daemonset"
PLUGIN_APP: Final = "nvidia-device-plugin-daemonset"
CHECKS: Final[Mapping[str, str]] = {
    "driver-validation": DRIVER_APP,
    "toolkit-validation": TOOLKIT_APP,
    "cuda-validation": TOOLKIT_APP,
    "plugin-validation": PLUGIN_APP,
}
"""By init container, the app of the operand whose work it checks."""
_NO_RUNTIME = re.compile(
    r"no runtime for \"(?P<containerd>[^\"]+)\" is configured"
    r"|failed to find runtime handler (?P<crio>\S+) from runtime list"
)
_STATES = ("running", "terminated")


def setup_events(snapshot: Snapshot, pod: Object, reasons: Sequence[str]) -> list[Object]:
    """Return the warnings about the setup of a pod that hold still, newest first.

    Events outlive what they tell of by an hour; once a container of the pod has started, its setup had succeeded.
    """
    begun = max(_begun(pod), default="")
    return [event for event in snapshot.warnings(pod, *reasons) if not begun or _seen_at(event) > begun]


def missing_runtime(snapshot: Snapshot, pod: Object, refusal: str) -> Cause | None:
    """Return the cause of a sandbox that is refused for lack of a runtime; None when it is refused for another reason.

    It is trouble only where no toolkit is to bring the runtime, or one that is at work did not.
    """
    found = _NO_RUNTIME.search(refusal)
    if not found:
        return None
    runtime, place = found["containerd"] or found["crio"], str(pod["spec"].get("nodeName") or "")
    toolkits = _pods_on(snapshot, TOOLKIT_APP, place)
    if not toolkits and not _to_come(snapshot, TOOLKIT_APP):
        return Cause(
            f"the container runtime knows no {runtime}, and no container toolkit is there to bring it",
            "leave toolkit.enabled true, or configure the runtime in the image of the nodes",
        )
    ready = [condition(toolkit, "Ready") for toolkit in toolkits]
    since = [str(each.get("lastTransitionTime") or "") for each in ready if each.get("status") == "True"]
    if since and all(_newest(snapshot, pod) > at for at in since):
        logs = f"kubectl logs -n {namespace(toolkits[0])} {name(toolkits[0])}"
        return Cause(
            f"the container toolkit is ready, and the container runtime knows no {runtime}",
            f"see what the toolkit wrote on {place}: {logs}; then restart the runtime",
        )
    return Cause(f"the container toolkit has not brought the runtime {runtime} yet", weight=Weight.WAITING)


def awaited_operand(snapshot: Snapshot, pod: Object, container: str) -> Cause | None:
    """Return the cause of a validation that failed because the operand that it checks is not ready; None for others."""
    app = CHECKS.get(container, "")
    if not app:
        return None
    there = _pods_on(snapshot, app, str(pod["spec"].get("nodeName") or ""))
    ready = all(condition(each, "Ready").get("status") == "True" for each in there)
    if ready and (there or not _to_come(snapshot, app)):
        return None
    return Cause(f"{container} waits for {app}", weight=Weight.WAITING)


def _to_come(snapshot: Snapshot, app: str) -> bool:
    """Whether pods of an operand are still to be made."""
    found = (status(d) for d in snapshot.all("DaemonSet") if labels(d).get("app", "").startswith(app))
    return any(seen.get("currentNumberScheduled", 0) < seen.get("desiredNumberScheduled", 0) for seen in found)


def _pods_on(snapshot: Snapshot, app: str, node: str) -> list[Object]:
    return [
        pod
        for pod in snapshot.all("Pod")
        if labels(pod).get("app", "").startswith(app) and pod["spec"].get("nodeName") == node
    ]


def _newest(snapshot: Snapshot, pod: Object) -> str:
    return max(map(_seen_at, snapshot.warnings(pod, "FailedCreatePodSandBox")), default="")


def _begun(pod: Object) -> Iterator[str]:
    """Yield the times at which the pod was known to be set up."""
    found: Mapping[str, Any] = status(pod)
    for each in (*(found.get("initContainerStatuses") or ()), *(found.get("containerStatuses") or ())):
        for state in (each.get("state") or {}, each.get("lastState") or {}):
            yield from (str(state[kind].get("startedAt") or "") for kind in _STATES if state.get(kind))


def _seen_at(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
