"""When an object counts as done, as pulumi-kubernetes 4 judges it (provider/pkg/await)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Object = Mapping[str, Any]
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
DEFAULT_TIMEOUT = 600.0
"""Seconds, as the real plugin has it for workloads."""


def unfinished(obj: Object) -> str:
    """Return what an object still lacks, as the end of a sentence; empty when there is nothing to wait for."""
    ask = _ASKS.get((obj["apiVersion"].partition("/")[0], obj["kind"]))
    return ask(obj) if ask else ""


def skipped(obj: Object) -> bool:
    return marks(obj).get(SKIP_AWAIT) == "true"


def limit(obj: Object) -> float:
    """Return how many seconds the wait may last."""
    seconds = marks(obj).get(TIMEOUT, "")
    return float(seconds) if seconds.isdecimal() and int(seconds) else DEFAULT_TIMEOUT


def marks(obj: Object) -> Mapping[str, str]:
    return obj.get("metadata", {}).get("annotations") or {}


def _condition(obj: Object, kind: str) -> Mapping[str, Any]:
    found = (c for c in obj.get("status", {}).get("conditions") or () if c.get("type") == kind)
    return next(found, {})


def _stale(obj: Object) -> str:
    seen = obj.get("status", {}).get("observedGeneration", 0)
    return "its controller has not seen it yet" if seen < obj["metadata"].get("generation", 0) else ""


def _namespace(obj: Object) -> str:
    phase = obj.get("status", {}).get("phase")
    return "" if phase == "Active" else f"phase is {phase or 'not set'}"


def _deployment(obj: Object) -> str:
    desired, status = obj["spec"].get("replicas", 1), obj.get("status", {})
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if stale := _stale(obj):
        return stale
    return "" if min(updated, available) >= desired else f"{min(updated, available)} of {desired} replicas available"


def _daemon_set(obj: Object) -> str:
    status = obj.get("status", {})
    desired = status.get("desiredNumberScheduled", 0)
    ready = min(status.get("numberReady", 0), status.get("updatedNumberScheduled", 0))
    return _stale(obj) or ("" if ready >= desired else f"{ready} of {desired} pods ready")


def _stateful_set(obj: Object) -> str:
    desired, ready = obj["spec"].get("replicas", 1), obj.get("status", {}).get("readyReplicas", 0)
    return _stale(obj) or ("" if ready >= desired else f"{ready} of {desired} pods ready")


def _job(obj: Object) -> str:
    return "" if _condition(obj, "Complete").get("status") == "True" else "it has not completed"


def _pod(obj: Object) -> str:
    phase = obj.get("status", {}).get("phase")
    done = phase == "Succeeded" or _condition(obj, "Ready").get("status") == "True"
    return "" if done else f"phase is {phase or 'not set'}"


def _crd(obj: Object) -> str:
    return "" if _condition(obj, "Established").get("status") == "True" else "it is not established"


_ASKS: Mapping[tuple[str, str], Callable[[Object], str]] = {
    ("v1", "Namespace"): _namespace,
    ("v1", "Pod"): _pod,
    ("apps", "Deployment"): _deployment,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
}


def failed(obj: Object) -> str:
    """Return why an object will never be done; empty when it still may."""
    if obj["kind"] == "Job" and (condition := _condition(obj, "Failed")).get("status") == "True":
        return str(condition.get("message") or "it failed")
    return ""
