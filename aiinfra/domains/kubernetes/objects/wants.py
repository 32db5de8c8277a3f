"""What one may wait for in a cluster, as values, and how it is judged from objects. Pure.

A want is written as JSON (`aiinfra.domains.kubernetes.resources.wants` writes it, `parse` reads it):
`{"object": ref, "exists": true}`, `{"object": ref, "condition": "Available", "status": "True"}`,
`{"object": ref, "field": "status.state", "equals": "ready"}`, `{"object": ref, "rolled_out": true}`,
`{"object": ref, "cluster_policy": true}`, `{"nodes": {"label": …, "at_least": n}}`,
`{"allocatable": {"resource": …, "at_least": n, "label": …}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.quantities import count


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a want holds, and what was seen of it."""

    holds: bool
    about: str
    """The subject: `Deployment gpu-operator/gpu-operator`."""
    seen: str
    """What was seen: `0 of 1 pods available`."""
    verb: str = "has"
    why: str = ""
    """The reason that the object itself gives."""
    answered: bool = False
    """The object's controller says itself, in its status, that the want does not hold."""

    @property
    def summary(self) -> str:
        """The sentence without the object's own reason."""
        return f"{self.about} {self.verb} {self.seen}"

    @property
    def sentence(self) -> str:
        """A sentence: `Deployment gpu-operator/gpu-operator has 0 of 1 pods available`."""
        return self.summary + (f" ({self.why})" if self.why else "")

    @property
    def progress(self) -> str:
        """The verdict as the object of `waits for`: `Deployment gpu-operator/gpu-operator: 0 of …`."""
        return f"{self.about}: {self.seen}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True)
class Exists:
    def judge(self, ref: ObjectRef, obj: Object) -> Verdict:
        return Verdict(True, str(ref), "there", "is")


@dataclass(frozen=True, slots=True)
class Condition:
    type: str
    status: str = "True"

    def judge(self, ref: ObjectRef, obj: Object) -> Verdict:
        found = condition(obj, self.type)
        if found is None:
            return Verdict(False, str(ref), f"no condition {self.type}")
        why = _reason_and_message(found) if found["status"] != "True" else ""
        return Verdict(found["status"] == self.status, str(ref), f"{self.type}={found['status']}", why=why)


@dataclass(frozen=True, slots=True)
class Field:
    path: str
    equals: str | float

    def judge(self, ref: ObjectRef, obj: Object) -> Verdict:
        value: Any = obj
        for key in self.path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        seen = f"no {self.path}" if value is None else f"{self.path} {value}"
        return Verdict(value == self.equals, str(ref), seen)


@dataclass(frozen=True, slots=True)
class RolledOut:
    """Deployment, StatefulSet, DaemonSet: every pod is of the newest template and available; no pod is a failure."""

    def judge(self, ref: ObjectRef, obj: Object) -> Verdict:
        status = obj.get("status", {})
        if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
            return Verdict(False, str(ref), "not yet looked at by its controller", "is")
        wanted, ready = _pods(obj)
        if not wanted:
            return Verdict(False, str(ref), "no node to run on")
        return Verdict(ready >= wanted, str(ref), f"{ready} of {wanted} pods available")


@dataclass(frozen=True, slots=True)
class ClusterPolicyReady:
    """The operator reports `state: ready` also without a GPU node or label, so only the reason Reconciled counts.

    NVIDIA/gpu-operator v26.7.0 controllers/clusterpolicy_controller.go, internal/conditions/clusterpolicy.go.
    The status may be of an earlier spec: `awaiting.verdict` looks at the operands too.
    """

    def judge(self, ref: ObjectRef, obj: Object) -> Verdict:
        state = obj.get("status", {}).get("state")
        ready, error = condition(obj, "Ready") or {}, condition(obj, "Error") or {}
        if state != "ready":
            why = _operator_reason(error) if error.get("status") == "True" else ""
            return Verdict(False, str(ref), "not ready", "is", why, answered=bool(state))
        if ready.get("status") != "True" or ready.get("reason") != "Reconciled":
            why = _reason_and_message(ready) or "it gives no reason"
            return Verdict(False, str(ref), "ready in name only, without a GPU at work", "is", why)
        return Verdict(True, str(ref), "ready", "is")


Rule = Exists | Condition | Field | RolledOut | ClusterPolicyReady


@dataclass(frozen=True, slots=True)
class ObjectWant:
    ref: ObjectRef
    rule: Rule

    def judge(self, obj: Object | None) -> Verdict:
        if obj is None:
            return Verdict(False, str(self.ref), "not there", "is")
        return self.rule.judge(self.ref, obj)


@dataclass(frozen=True, slots=True)
class NodesWant:
    """At least so many nodes carry one of `labels`, each `key` or `key=value`."""

    labels: tuple[str, ...]
    at_least: int

    def judge(self, nodes: Sequence[Object]) -> Verdict:
        found = [node for node in nodes if any(carries(node, label) for label in self.labels)]
        about = f"the label {self.labels[0]}" + (" (or one like it)" if len(self.labels) > 1 else "")
        return Verdict(len(found) >= self.at_least > 0, about, f"on {len(found)} of {self.at_least} nodes", "is")


@dataclass(frozen=True, slots=True)
class AllocatableWant:
    """The nodes that carry `label`, or all nodes, together offer at least so many units of a resource."""

    resource: str
    at_least: int
    label: str = ""

    def judge(self, nodes: Sequence[Object]) -> Verdict:
        offered = self.offered(nodes)
        return Verdict(offered >= self.at_least > 0, self.resource, f"{offered} of {self.at_least} allocatable")

    def offered(self, nodes: Sequence[Object]) -> int:
        chosen = [node for node in nodes if not self.label or carries(node, self.label)]
        return sum(allocatable(node, self.resource) for node in chosen)


Want = ObjectWant | NodesWant | AllocatableWant


def parse(raw: Mapping[str, Any]) -> Want:
    """Return the want that JSON describes. Raises `ValueError` with a sentence when it describes none."""
    try:
        if nodes := raw.get("nodes"):
            return NodesWant((nodes["label"],), int(nodes["at_least"]))
        if offered := raw.get("allocatable"):
            return AllocatableWant(offered["resource"], int(offered["at_least"]), offered.get("label") or "")
        return ObjectWant(ObjectRef.from_json(raw["object"]), _rule(raw))
    except (KeyError, TypeError) as error:
        raise ValueError(f"is no want: {error} is missing or of the wrong type") from error


def _rule(raw: Mapping[str, Any]) -> Rule:
    if "condition" in raw:
        return Condition(raw["condition"], raw.get("status", "True"))
    if isinstance(raw.get("field"), str) and isinstance(raw.get("equals"), str | int | float):
        return Field(raw["field"], raw["equals"])
    for key, rule in (("exists", Exists()), ("rolled_out", RolledOut()), ("cluster_policy", ClusterPolicyReady())):
        if raw.get(key) is True:
            return rule
    raise ValueError("is no want: it asks for nothing of its object")


def condition(obj: Object, type: str) -> Mapping[str, Any] | None:
    """Return the condition of this type in `status.conditions`; None when there is none."""
    found = (c for c in obj.get("status", {}).get("conditions") or () if c.get("type") == type)
    return next(found, None)


def carries(node: Object, label: str) -> bool:
    """Return whether a node has the label `key` or `key=value`."""
    key, _, value = label.partition("=")
    labels = node["metadata"].get("labels") or {}
    return key in labels and value in ("", labels[key])


def allocatable(node: Object, resource: str) -> int:
    """Return how many units of a resource a node offers to pods."""
    return count((node.get("status", {}).get("allocatable") or {}).get(resource))


def _reason_and_message(found: Mapping[str, Any]) -> str:
    return ": ".join(str(found[key]) for key in ("reason", "message") if found.get(key))


def _operator_reason(error: Mapping[str, Any]) -> str:
    """Return the operator's reason, shortened to the names of the operands that are not ready."""
    states = re.search(r"states not ready: \[(?P<names>[^]]*)\]", str(error.get("message", "")))
    return f"waits for {', '.join(states['names'].split())}" if states else _reason_and_message(error)


def _pods(obj: Object) -> tuple[int, int]:
    """Return how many pods are wanted, and how many of the newest template are available."""
    status = obj.get("status", {})
    if obj["kind"] != "DaemonSet":
        updated = min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
        return obj["spec"].get("replicas", 1), updated
    available: int = status.get("numberAvailable", 0)
    if obj["spec"].get("updateStrategy", {}).get("type") != "OnDelete":
        available = min(available, status.get("updatedNumberScheduled", 0))
    return status.get("desiredNumberScheduled", 0), available
