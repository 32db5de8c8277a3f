"""The nodes whose driver the operator runs, each with its driver's pod, as its upgrade controller sees them. Pure.

NVIDIA/k8s-operator-libs pkg/upgrade/upgrade_state.go and common_manager.go as in NVIDIA/gpu-operator v26.7.0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import DRIVER_OWNER
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    condition,
    labels,
    name,
    namespace,
    pod_ready,
    uid,
)

STATE = "nvidia.com/gpu-driver-upgrade-state"
UNKNOWN, REQUIRED, CORDON, JOBS = "", "upgrade-required", "cordon-required", "wait-for-jobs-required"
DELETION, DRAIN, RESTART = "pod-deletion-required", "drain-required", "pod-restart-required"
VALIDATION, UNCORDON, DONE, FAILED = "validation-required", "uncordon-required", "upgrade-done", "upgrade-failed"
SKIP = "nvidia.com/gpu-driver-upgrade.skip"
"""Label of a node whose driver is left as it is."""
SET_GENERATION, POD_GENERATION = "deprecated.daemonset.template.generation", "pod-template-generation"
"""Annotation of a DaemonSet and label of its pods by which Kubernetes tells the templates apart."""
DIGEST = "DRIVER_CONFIG_DIGEST"
"""Variable of a driver's container: equal digests install the same driver (internal/config)."""
MANY_RESTARTS = 10
"""A driver whose container was started anew more often has failed."""


@dataclass(frozen=True, slots=True)
class DrivenNode:
    """One node with its driver's pod."""

    node: Object
    pod: Object
    daemonset: Object | None
    """None for a pod that its DaemonSet left behind."""

    @property
    def state(self) -> str:
        return labels(self.node).get(STATE, UNKNOWN)

    @property
    def cordoned(self) -> bool:
        return bool(self.node.get("spec", {}).get("unschedulable"))

    @property
    def unavailable(self) -> bool:
        return self.cordoned or condition(self.node, "Ready") not in ("", "True")

    @property
    def current(self) -> bool:
        """Whether the pod is of its DaemonSet's newest template."""
        made = self.daemonset
        return made is not None and labels(self.pod).get(POD_GENERATION) == annotation(made, SET_GENERATION)

    @property
    def ready(self) -> bool:
        return self.current and pod_ready(self.pod)

    @property
    def failing(self) -> bool:
        status = self.pod.get("status", {})
        containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
        return any(not each["ready"] and each["restartCount"] > MANY_RESTARTS for each in containers)

    @property
    def restart_only(self) -> bool:
        """Whether the newest template installs what runs already, so that no workload has to leave."""
        if self.daemonset is None:
            return False
        wanted = _digest(self.daemonset["spec"]["template"]["spec"])
        return bool(wanted) and wanted == _digest(self.pod["spec"])


def _digest(spec: Mapping[str, Any]) -> str:
    variables = (variable for c in spec["containers"] for variable in c.get("env") or ())
    return str(next((v.get("value", "") for v in variables if v["name"] == DIGEST), ""))


def driven_nodes(view: View, within: str, selector: Mapping[str, str]) -> Sequence[DrivenNode] | None:
    """Return the nodes by name; None while a DaemonSet lacks a pod, as the controller then waits."""
    pods = list(view.select("Pod", selector, within))
    sets = {uid(each): each for each in view.select("DaemonSet", selector, within)}
    for daemonset in sets.values():
        own = sum(_owner(pod) == uid(daemonset) for pod in pods)
        if daemonset.get("status", {}).get("desiredNumberScheduled", own) != own:
            return None
    return sorted(_with_nodes(view, pods, sets), key=lambda driven: name(driven.node))


def _with_nodes(view: View, pods: Sequence[Object], sets: Mapping[str, Object]) -> Iterator[DrivenNode]:
    for pod in pods:
        node = view.find("Node", pod["spec"].get("nodeName") or "")
        owner = _owner(pod)
        if node is not None and (owner in sets or not owner):
            yield DrivenNode(node, pod, sets.get(owner))


def _owner(pod: Object) -> str:
    return str(next((owner["uid"] for owner in pod["metadata"].get("ownerReferences") or ()), ""))


def free_slots(nodes: Sequence[DrivenNode], policy: Mapping[str, Any]) -> int:
    """Return how many nodes may begin their upgrade now (common_manager.go `GetUpgradesAvailable`)."""
    states = [driven.state for driven in nodes]
    busy = sum(state not in (UNKNOWN, DONE, REQUIRED) for state in states)
    parallel = int(policy.get("maxParallelUpgrades", 1))
    free = parallel - busy if parallel else states.count(REQUIRED)
    limit = _scaled(policy.get("maxUnavailable"), len(nodes))
    away = sum(driven.unavailable for driven in nodes) + states.count(CORDON)
    return 0 if away >= limit else min(free, limit, limit - away if limit < len(nodes) else free)


def _scaled(value: int | str | None, total: int) -> int:
    """Return a number, or a share of `total` rounded up; without a value, all."""
    if isinstance(value, str) and value.endswith("%"):
        return math.ceil(total * int(value[:-1]) / 100)
    return total if value is None else int(value)


def validators_ready(view: View, driven: DrivenNode) -> bool:
    """Whether the operator's validator runs on the node."""
    place, within = name(driven.node), namespace(driven.pod)
    pods = view.select("Pod", {"app": "nvidia-operator-validator"}, within)
    found = [pod for pod in pods if pod["spec"].get("nodeName") == place]
    return bool(found) and all(map(pod_ready, found))


def upgrade_incomplete(view: View) -> bool:
    """Whether a node of an NVIDIADriver waits for its upgrade, is in it, or failed: the ClusterPolicy is not ready."""
    owned = (labels(node) for node in view.nodes if DRIVER_OWNER in labels(node))
    return any(has.get(STATE, UNKNOWN) not in (UNKNOWN, DONE) for has in owned if has.get(SKIP) != "true")
