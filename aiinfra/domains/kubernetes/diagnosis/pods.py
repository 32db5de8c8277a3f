"""Why a pod does not run, or is not ready. Pure.

Reasons are the kubelet's: kubernetes pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.claims import unbound
from aiinfra.domains.kubernetes.diagnosis.kinds import missing_kind
from aiinfra.domains.kubernetes.diagnosis.readings import (
    DRIVER_IMAGE,
    ENDED,
    IMAGE,
    KERNEL_IMAGE,
    UNSCHEDULABLE,
    Reading,
    clean,
    read,
)
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, condition, labels, name, namespace, status

IMAGE_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
CRASHING = "CrashLoopBackOff"
ORDERLY = frozenset({0, 143, 255})
"""Exit codes of a container that was told to end (128 + SIGTERM), or whose node went down."""
STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
CLAIM = "persistentvolumeclaim"
DRIVER_APP = "nvidia-driver-daemonset"
KERNEL = "feature.node.kubernetes.io/kernel-version.full"
SETUP_FAILURES = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady")

NAMED = 2
"""Nodes named for one cause."""

Found = tuple[str, Cause]
"""What the pod's state is called, and its cause."""


def healthy(pod: Object) -> bool:
    return status(pod).get("phase") == "Succeeded" or condition(pod, "Ready").get("status") == "True"


def why(scene: Scene, pod: Object) -> Found | None:
    """None when there is nothing wrong with it."""
    if healthy(pod):
        return None
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating", Cause("it is being deleted", weight=Weight.WAITING)
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        text = str(scheduled.get("message") or scheduled.get("reason") or "").partition(". ")[0]
        claims = unbound(scene, pod) if CLAIM in text.lower() else iter(())
        root = next(claims, None) or read(UNSCHEDULABLE, text, {})
        return str(scheduled.get("reason") or "Unschedulable"), root
    found = next(_containers(scene, pod), None)
    return found or _setup(scene, pod) or _waiting(pod)


def alike(scene: Scene, pods_found: Iterable[Object], called: str) -> Iterator[Cause]:
    """One cause for pods that have the same reason and root: `called on gpu-0 and gpu-1: ImagePullBackOff`."""
    roots: dict[tuple[str, str], list[Cause]] = {}
    places: dict[tuple[str, str], list[str]] = {}
    for pod in pods_found:
        if found := why(scene, pod):
            reason, root = found
            roots.setdefault((reason, root.says), []).append(root)
            places.setdefault((reason, root.says), []).append(str(pod["spec"].get("nodeName") or ""))
    for (reason, says), same in roots.items():
        root = max(same, key=lambda cause: cause.weight)
        where = _on(sorted(filter(None, places[reason, says])))
        yield Cause(f"{called}{where}: {reason}", because=(root,), weight=root.weight)


def _containers(scene: Scene, pod: Object) -> Iterator[Found]:
    """Containers that cannot start or that ended with an error, init containers first."""
    facts = _facts(scene, pod)
    for each in _statuses(pod):
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        reason = str(waiting.get("reason") or "")
        if reason in IMAGE_REASONS:
            table = _images(pod, facts)
            text = f"{reason} {_refusal(scene, pod, waiting)}"
            yield reason, read(table, text, {**facts, "image": _image(pod, each)})
        elif reason in CONFIG_REASONS:
            said = clean(str(waiting.get("message") or reason))
            yield reason, Cause(said, "create what it names, or correct the name")
        elif reason == CRASHING or ended.get("exitCode"):
            again = CRASHING if each.get("restartCount") else str(ended.get("reason") or "Error")
            yield reason or again, _ended(scene, each, ended or _last(each), facts)
        elif "running" in state and not each.get("ready") and _last(each).get("exitCode", 0) not in ORDERLY:
            yield CRASHING, replace(_ended(scene, each, _last(each), facts), weight=Weight.FAILING)


def _last(each: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the container ended before it was started again; empty when it never did."""
    return (each.get("lastState") or {}).get("terminated") or {}


def _refusal(scene: Scene, pod: Object, waiting: Mapping[str, Any]) -> str:
    """The registry's answer: in the back-off message of newer kubelets, else in the event of the failed pull."""
    failed = [str(event.get("message", "")) for event in scene.warnings(pod, "Failed")]
    return " ".join((str(waiting.get("message") or ""), *(text for text in failed if "pull" in text)))


def _ended(scene: Scene, each: Mapping[str, Any], last: Mapping[str, Any], facts: Mapping[str, str]) -> Cause:
    said = clean(str(last.get("message") or ""))
    if said and (kind := missing_kind(scene, said)):
        return kind
    container, code = str(each.get("name", "?")), last.get("exitCode", "?")
    text = said or f"container {container} ended with exit code {code} and said nothing"
    if last.get("reason") == "OOMKilled":
        text = f"OOMKilled: {text}"
    return read(ENDED, text, {**facts, "container": container})


def _setup(scene: Scene, pod: Object) -> Found | None:
    for event in scene.warnings(pod, *SETUP_FAILURES):
        hint = f"see kubectl describe pod -n {namespace(pod)} {name(pod)}"
        return str(event["reason"]), Cause(clean(str(event.get("message", ""))), hint)
    return None


def _waiting(pod: Object) -> Found:
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


def _facts(scene: Scene, pod: Object) -> Mapping[str, str]:
    place = str(pod["spec"].get("nodeName") or "")
    node = scene.find("Node", place)
    info = status(node).get("nodeInfo") or {} if node else {}
    kernel = (labels(node).get(KERNEL) if node else "") or info.get("kernelVersion") or ""
    return {
        "node": place or "its node",
        "kernel": kernel or "of its node",
        "pod": f"-n {namespace(pod)} {name(pod)}",
    }


def _images(pod: Object, facts: Mapping[str, str]) -> Sequence[Reading]:
    """A precompiled driver's image is made for one kernel, which stands in its name."""
    if not labels(pod).get("app", name(pod)).startswith(DRIVER_APP):
        return IMAGE
    images = " ".join(str(c.get("image")) for c in pod["spec"]["containers"])
    return KERNEL_IMAGE if facts["kernel"] in images else DRIVER_IMAGE


def _on(nodes: Sequence[str]) -> str:
    if not nodes:
        return ""
    named = ", ".join(nodes[:NAMED])
    return f" on {named} and {len(nodes) - NAMED} more" if len(nodes) > NAMED else f" on {' and '.join(nodes)}"
