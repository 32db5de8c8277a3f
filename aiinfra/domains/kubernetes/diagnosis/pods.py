"""Why a pod does not run, or is not ready. Pure.

Reasons are the kubelet's: kubernetes pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis import installing
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.installing import DRIVER_APP
from aiinfra.domains.kubernetes.diagnosis.kinds import missing_kind
from aiinfra.domains.kubernetes.diagnosis.messages import (
    DRIVER_IMAGE,
    ENDED,
    IMAGE,
    KERNEL_IMAGE,
    UNSCHEDULABLE,
    MessageRule,
    cause_of_message,
    one_line,
)
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, condition, labels, name, namespace, status
from aiinfra.domains.kubernetes.diagnosis.volume_claims import unbound_claims

IMAGE_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
CRASHING = "CrashLoopBackOff"
ORDERLY = frozenset({0, 143, 255})
"""Exit codes of a container that was asked to stop (128 + SIGTERM), or whose node went down."""
STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
CLAIM = "persistentvolumeclaim"
COMPONENT, DRIVER_COMPONENT = "app.kubernetes.io/component", "nvidia-driver"
"""Label of all pods of drivers, also of those that NVIDIADriver objects make."""
KERNEL = "feature.node.kubernetes.io/kernel-version.full"
SETUP_FAILURES = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady")

NAMED = 2
"""Nodes named for one cause."""

PodProblem = tuple[str, Cause]
"""The reason that the pod's status gives, such as `ImagePullBackOff`, and its cause."""


def healthy(pod: Object) -> bool:
    """Return whether a pod is ready or has succeeded."""
    return status(pod).get("phase") == "Succeeded" or condition(pod, "Ready").get("status") == "True"


def problem(snapshot: Snapshot, pod: Object) -> PodProblem | None:
    """Return why a pod does not run or is not ready; None when it is healthy."""
    if healthy(pod):
        return None
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating", Cause("it is being deleted", weight=Weight.WAITING)
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        text = str(scheduled.get("message") or scheduled.get("reason") or "").partition(". ")[0]
        claims = unbound_claims(snapshot, pod) if CLAIM in text.lower() else iter(())
        root = next(claims, None) or cause_of_message(UNSCHEDULABLE, text, {"cordoned": _cordoned(snapshot)})
        return str(scheduled.get("reason") or "Unschedulable"), root
    found = next(_containers(snapshot, pod), None)
    return found or _setup(snapshot, pod) or _waiting(pod)


def _cordoned(snapshot: Snapshot) -> str:
    """Return the names of the cordoned nodes as `kubectl uncordon` takes them."""
    return " ".join(name(node) for node in snapshot.all("Node") if node["spec"].get("unschedulable")) or "them"


def grouped_causes(snapshot: Snapshot, candidates: Iterable[Object], subject: str) -> Iterator[Cause]:
    """Yield one cause for pods of the same reason and root: `SUBJECT on gpu-0 and gpu-1: ImagePullBackOff`."""
    roots: dict[tuple[str, str], list[Cause]] = {}
    places: dict[tuple[str, str], list[str]] = {}
    for pod in candidates:
        if found := problem(snapshot, pod):
            reason, root = found
            roots.setdefault((reason, root.message), []).append(root)
            places.setdefault((reason, root.message), []).append(str(pod["spec"].get("nodeName") or ""))
    for (reason, message), same in roots.items():
        root = max(same, key=lambda cause: cause.weight)
        where = _on(sorted(filter(None, places[reason, message])))
        yield Cause(f"{subject}{where}: {reason}", because=(root,), weight=root.weight)


def _containers(snapshot: Snapshot, pod: Object) -> Iterator[PodProblem]:
    """Yield the problems of containers that cannot start or ended with an error, init containers first."""
    facts = _facts(snapshot, pod)
    for each in _statuses(pod):
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        reason = str(waiting.get("reason") or "")
        if reason in IMAGE_REASONS:
            table = _images(pod, facts)
            text = f"{reason} {_refusal(snapshot, pod, waiting)}"
            yield reason, cause_of_message(table, text, {**facts, "image": _image(pod, each)})
        elif reason in CONFIG_REASONS:
            message = one_line(str(waiting.get("message") or reason))
            yield reason, Cause(message, "create what it names, or correct the name")
        elif reason == CRASHING or ended.get("exitCode"):
            again = CRASHING if each.get("restartCount") else str(ended.get("reason") or "Error")
            waits = installing.awaited_operand(snapshot, pod, str(each["name"]))
            yield reason or again, waits or _ended(snapshot, each, ended or _last(each), facts)
        elif "running" in state and not each.get("ready") and _last(each).get("exitCode", 0) not in ORDERLY:
            waits = installing.awaited_operand(snapshot, pod, str(each["name"]))
            yield CRASHING, waits or replace(_ended(snapshot, each, _last(each), facts), weight=Weight.FAILING)


def _last(each: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how the container ended before its last restart; empty when it never restarted."""
    return (each.get("lastState") or {}).get("terminated") or {}


def _refusal(snapshot: Snapshot, pod: Object, waiting: Mapping[str, Any]) -> str:
    """Return the registry's answer, from the back-off message of newer kubelets or the event of the failed pull."""
    failed = [str(event.get("message", "")) for event in snapshot.warnings(pod, "Failed")]
    return " ".join((str(waiting.get("message") or ""), *(text for text in failed if "pull" in text)))


def _ended(snapshot: Snapshot, each: Mapping[str, Any], last: Mapping[str, Any], facts: Mapping[str, str]) -> Cause:
    message = one_line(str(last.get("message") or ""))
    if message and (kind := missing_kind(snapshot, message)):
        return kind
    container, code = str(each.get("name", "?")), last.get("exitCode", "?")
    text = message or f"container {container} ended with exit code {code} and said nothing"
    if last.get("reason") == "OOMKilled":
        text = f"OOMKilled: {text}"
    return cause_of_message(ENDED, text, {**facts, "container": container})


def _setup(snapshot: Snapshot, pod: Object) -> PodProblem | None:
    for event in installing.setup_events(snapshot, pod, SETUP_FAILURES):
        text = str(event.get("message", ""))
        hint = f"see kubectl describe pod -n {namespace(pod)} {name(pod)}"
        cause = installing.missing_runtime(snapshot, pod, text) or Cause(one_line(text), hint)
        return str(event["reason"]), cause
    return None


def _waiting(pod: Object) -> PodProblem:
    for each in _statuses(pod):
        state = each.get("state") or {}
        if "running" in state and not each.get("ready"):
            return "NotReady", Cause(f"container {each['name']} runs and is not ready", weight=Weight.WAITING)
        if (state.get("waiting") or {}).get("reason") in STARTING:
            return "Pending", Cause(f"container {each['name']} has not started", weight=Weight.WAITING)
    return "Pending", Cause("its node has not started it", weight=Weight.WAITING)


def _statuses(pod: Object) -> Sequence[Mapping[str, Any]]:
    found = status(pod)
    return [*(found.get("initContainerStatuses") or ()), *(found.get("containerStatuses") or ())]


def _image(pod: Object, each: Mapping[str, Any]) -> str:
    containers = (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"])
    return next((str(c.get("image")) for c in containers if c["name"] == each["name"]), str(each.get("image", "")))


def _facts(snapshot: Snapshot, pod: Object) -> Mapping[str, str]:
    place = str(pod["spec"].get("nodeName") or "")
    node = snapshot.find("Node", place)
    info = status(node).get("nodeInfo") or {} if node else {}
    kernel = (labels(node).get(KERNEL) if node else "") or info.get("kernelVersion") or ""
    return {
        "node": place or "its node",
        "kernel": kernel or "of its node",
        "pod": f"-n {namespace(pod)} {name(pod)}",
    }


def _images(pod: Object, facts: Mapping[str, str]) -> Sequence[MessageRule]:
    """Return the rules for image errors of a pod. A precompiled driver's image has its kernel in its name."""
    driver = labels(pod).get(COMPONENT) == DRIVER_COMPONENT or labels(pod).get("app", name(pod)).startswith(DRIVER_APP)
    if not driver:
        return IMAGE
    images = " ".join(str(c.get("image")) for c in pod["spec"]["containers"])
    return KERNEL_IMAGE if facts["kernel"] in images else DRIVER_IMAGE


def _on(nodes: Sequence[str]) -> str:
    if not nodes:
        return ""
    named = ", ".join(nodes[:NAMED])
    return f" on {named} and {len(nodes) - NAMED} more" if len(nodes) > NAMED else f" on {' and '.join(nodes)}"
