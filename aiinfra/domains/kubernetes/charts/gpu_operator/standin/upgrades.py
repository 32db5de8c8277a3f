"""The operator's driver upgrade: pods of an old template are replaced, some nodes at a time. Pure.

NVIDIA/k8s-operator-libs pkg/upgrade as in NVIDIA/gpu-operator v26.7.0. Three of its states are simulated:
`upgrade-required`, `pod-restart-required`, `upgrade-done`. Nodes are not cordoned, and user pods are not evicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import policy
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operator import FIELD_MANAGER
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Effect, Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.faults import DRIVER_APP
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    deleting,
    labels,
    name,
    pod_ready,
    uid,
)

STATE = "nvidia.com/gpu-driver-upgrade-state"
SKIP = "nvidia.com/gpu-driver-upgrade.skip"
REQUIRED, RESTART, DONE = "upgrade-required", "pod-restart-required", "upgrade-done"
SET_GENERATION, POD_GENERATION = "deprecated.daemonset.template.generation", "pod-template-generation"
"""Annotation of a DaemonSet and label of its pods by which Kubernetes tells the templates apart."""


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    instance = policy.active_policy(view.of("ClusterPolicy"))
    upgrades = policy.section(instance, "driver").get("upgradePolicy") or {} if instance else {}
    if not upgrades.get("autoUpgrade", False):
        return
    drivers = [pod for daemonset in _driver_sets(view) for pod in _pods_of(view, daemonset) if not deleting(pod)]
    busy = sum(not pod_ready(pod) for pod in drivers) + _nodes_in_upgrade(view, drivers)
    parallel = int(upgrades.get("maxParallelUpgrades", 1)) or len(drivers)
    for pod in sorted(drivers, key=lambda pod: str(pod["spec"].get("nodeName"))):
        node = view.find("Node", pod["spec"].get("nodeName", ""))
        if node is None or labels(node).get(SKIP) == "true":
            continue
        if _current(view, pod):
            yield from _mark(node, DONE if pod_ready(pod) else labels(node).get(STATE, ""))
        elif busy < parallel:
            busy += 1
            yield from _mark(node, RESTART)
            yield Remove(ObjectRef.of(pod))
        else:
            yield from _mark(node, REQUIRED)


def _nodes_in_upgrade(view: View, drivers: Sequence[Object]) -> int:
    """Count the nodes whose old driver pod is being replaced and whose new one does not exist yet."""
    served = {pod["spec"].get("nodeName") for pod in drivers}
    return sum(labels(node).get(STATE) == RESTART and name(node) not in served for node in view.of("Node"))


def _driver_sets(view: View) -> Iterator[Object]:
    return (d for d in view.of("DaemonSet") if labels(d).get("app", "").startswith(DRIVER_APP) and not deleting(d))


def _pods_of(view: View, daemonset: Object) -> Iterator[Object]:
    return (pod for pod in view.select("Pod", {"app": labels(daemonset)["app"]}) if _owner(pod) == uid(daemonset))


def _owner(pod: Object) -> str:
    return str(next((owner["uid"] for owner in pod["metadata"].get("ownerReferences") or ()), ""))


def _current(view: View, pod: Object) -> bool:
    daemonset = next(d for d in _driver_sets(view) if uid(d) == _owner(pod))
    return labels(pod).get(POD_GENERATION) == annotation(daemonset, SET_GENERATION)


def _mark(node: Object, state: str) -> Iterator[Effect]:
    if state and labels(node).get(STATE) != state:
        yield Patch(
            ObjectRef("v1", "Node", name(node)), {"metadata": {"labels": {STATE: state}}}, manager=FIELD_MANAGER
        )
