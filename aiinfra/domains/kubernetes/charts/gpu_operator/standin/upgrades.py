"""The operator's driver upgrade: node by node through its states, cordoned from the second to the last. Pure.

NVIDIA/k8s-operator-libs pkg/upgrade and controllers/upgrade_controller.go as in NVIDIA/gpu-operator v26.7.0. A node
moves one state a pass. `upgrade-failed` is sticky: a corrected driver is not tried there before somebody deletes the
driver's pod, or sets the label to `upgrade-required`, or takes it off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import COMPONENT, DRIVER_COMPONENT, DRIVER_OWNER
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import driven_nodes as nodes
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import eviction, policy
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.driven_nodes import STATE, DrivenNode, driven_nodes
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operator import FIELD_MANAGER, running_operator
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Effect, Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.faults import DRIVER_APP
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    deleting,
    labels,
    name,
    namespace,
)

REQUESTED = "nvidia.com/gpu-driver-upgrade-requested"
"""Annotation by which somebody asks for an upgrade of a node whose driver is current."""
WAS_CORDONED = "nvidia.com/gpu-driver-upgrade.node-initial-state.unschedulable"
"""Annotation of a node that was cordoned before its upgrade, and stays so after it."""
VALIDATION_SECONDS = 600.0
EVICTION_SECONDS = 300
Policy = Mapping[str, Any]
Effects = Iterator[Effect | Again]


@dataclass(slots=True)
class Upgrades:
    """Remembers since when each node is in its state; all else is on the nodes."""

    since: dict[str, tuple[str, float]] = field(default_factory=dict)
    """By node its state, and the monotonic time in seconds at which it was first seen in it."""

    def reconcile(self, view: View, moment: Moment) -> Effects:
        operator = running_operator(view)
        if operator is None:
            return
        managed: set[str] = set()
        for driven, rules in _partitions(view, namespace(operator)):
            managed |= {name(each.node) for each in driven}
            yield from self._upgrade(view, moment, driven, rules)
        if not _any_automatic(view):
            yield from (_moved(node, None) for node in view.nodes if STATE in labels(node))
        self.since = {key: value for key, value in self.since.items() if key in managed}

    def _upgrade(self, view: View, moment: Moment, driven: Sequence[DrivenNode], rules: Policy) -> Effects:
        slots = nodes.free_slots(driven, rules)
        for each in driven:
            if each.state == nodes.REQUIRED:
                begun = list(_begin(each, free=slots > 0))
                slots -= bool(begun)
                yield from begun
            elif each.state in STEPS:
                yield from STEPS[each.state](Step(view, moment, each, rules, self._since(each, moment)))

    def _since(self, driven: DrivenNode, moment: Moment) -> float:
        before = self.since.get(name(driven.node))
        if before is None or before[0] != driven.state:
            self.since[name(driven.node)] = before = (driven.state, moment.monotonic)
        return before[1]


def _partitions(view: View, within: str) -> Iterator[tuple[Sequence[DrivenNode], Policy]]:
    """Yield the nodes of each policy that upgrades drivers by itself: the ClusterPolicy's, or each NVIDIADriver's."""
    instance = policy.active_policy(view.of("ClusterPolicy"))
    if instance is not None and not policy.by_nvidia_driver(instance):
        if policy.upgrades_by_itself(instance):
            found = driven_nodes(view, within, {"app": DRIVER_APP})
            yield found or (), policy.section(instance, "driver").get("upgradePolicy") or {}
        return
    found = driven_nodes(view, within, {COMPONENT: DRIVER_COMPONENT}) or ()
    for driver in view.of("NVIDIADriver"):
        rules = policy.driver_upgrades(driver)
        if rules.get("autoUpgrade"):
            yield [each for each in found if labels(each.node).get(DRIVER_OWNER) == name(driver)], rules


def _any_automatic(view: View) -> bool:
    """Whether anything upgrades drivers by itself; if not, the states come off all nodes."""
    instance = policy.active_policy(view.of("ClusterPolicy"))
    if instance is not None and not policy.by_nvidia_driver(instance):
        return policy.upgrades_by_itself(instance)
    return any(policy.driver_upgrades(driver).get("autoUpgrade") for driver in view.of("NVIDIADriver"))


def _begin(driven: DrivenNode, *, free: bool) -> Iterator[Effect]:
    """Move on from `upgrade-required`; a node that somebody cordoned takes no slot."""
    if labels(driven.node).get(nodes.SKIP) == "true" or not (free or driven.cordoned):
        return
    asked = annotation(driven.node, REQUESTED) == "true"
    annotations = {REQUESTED: None} if asked else {}
    if driven.restart_only and not asked:
        yield _moved(driven.node, nodes.RESTART, annotations=annotations, cordon=True)
    else:
        yield _moved(driven.node, nodes.CORDON, annotations=annotations)


@dataclass(frozen=True, slots=True)
class Step:
    """One node in a pass."""

    view: View
    moment: Moment
    driven: DrivenNode
    rules: Policy
    since: float
    """Monotonic time in seconds since which the node is in its state."""

    @property
    def pods(self) -> Sequence[Object]:
        return self.view.pods_on(name(self.driven.node))

    def to(self, state: str) -> Effect:
        return _moved(self.driven.node, state)

    def late(self, seconds: float) -> bool:
        return self.moment.monotonic - self.since >= seconds

    def finish(self) -> Effect:
        """Let the node take pods again, unless it took none before its upgrade."""
        if annotation(self.driven.node, WAS_CORDONED):
            return _moved(self.driven.node, nodes.DONE, annotations={WAS_CORDONED: None})
        return self.to(nodes.UNCORDON)


def _idle(step: Step) -> Effects:
    driven = step.driven
    outdated = driven.daemonset is not None and not driven.current
    if outdated or annotation(driven.node, REQUESTED) == "true":
        yield _moved(driven.node, nodes.REQUIRED, annotations={WAS_CORDONED: "true"} if driven.cordoned else {})
    elif driven.state == nodes.UNKNOWN:
        yield step.to(nodes.DONE)


def _cordon(step: Step) -> Effects:
    yield _moved(step.driven.node, nodes.JOBS, cordon=True)


def _wait_for_jobs(step: Step) -> Effects:
    rules = step.rules.get("waitForCompletion") or {}
    selector, limit = str(rules.get("podSelector") or ""), float(rules.get("timeoutSeconds") or 0)
    working = [pod for pod in step.pods if selector and eviction.matches(pod, selector) and eviction.runs(pod)]
    if not working or (limit and step.late(limit)):
        yield step.to(nodes.DELETION)
    elif limit:
        yield Again(step.since + limit)


def _delete_pods(step: Step) -> Effects:
    rules = step.rules.get("podDeletion") or {}
    drain = bool((step.rules.get("drain") or {}).get("enable"))
    failed = nodes.DRAIN if drain else nodes.FAILED
    yield from _evict(step, eviction.users_of_gpus(step.pods), rules, failed)


def _drain(step: Step) -> Effects:
    rules = step.rules.get("drain") or {}
    concerned = eviction.all_but_exempt(step.pods, str(rules.get("podSelector") or "")) if rules.get("enable") else ()
    yield from _evict(step, concerned, rules, nodes.FAILED)


def _evict(step: Step, pods: Sequence[Object], rules: Policy, failed: str) -> Effects:
    """Evict these pods until none is left, or say that it failed: at once where one cannot be moved, else in time."""
    limit = float(rules.get("timeoutSeconds", EVICTION_SECONDS))
    if not pods:
        yield step.to(nodes.RESTART)
    elif any(eviction.immovable(pod, rules) for pod in pods) or (limit and step.late(limit)):
        yield step.to(failed)
    else:
        movable = (pod for pod in pods if not deleting(pod) and not eviction.forbidden(step.view, pod))
        yield from (Remove(ObjectRef.of(pod)) for pod in movable)
        yield Again(step.since + limit)


def _restart(step: Step) -> Effects:
    driven = step.driven
    if not driven.current:
        yield from () if deleting(driven.pod) else (Remove(ObjectRef.of(driven.pod)),)
    elif driven.ready:
        yield step.to(nodes.VALIDATION)
    elif driven.failing:
        yield step.to(nodes.FAILED)


def _validate(step: Step) -> Effects:
    if nodes.validators_ready(step.view, step.driven):
        yield step.finish()
    elif step.late(VALIDATION_SECONDS):
        yield step.to(nodes.FAILED)
    else:
        yield Again(step.since + VALIDATION_SECONDS)


def _uncordon(step: Step) -> Effects:
    yield _moved(step.driven.node, nodes.DONE, cordon=False)


def _recover(step: Step) -> Effects:
    """Leave `upgrade-failed` once the driver runs all the same; nothing here makes it run."""
    if step.driven.ready:
        yield step.finish()


STEPS: Mapping[str, Callable[[Step], Effects]] = {
    nodes.UNKNOWN: _idle,
    nodes.DONE: _idle,
    nodes.CORDON: _cordon,
    nodes.JOBS: _wait_for_jobs,
    nodes.DELETION: _delete_pods,
    nodes.DRAIN: _drain,
    nodes.RESTART: _restart,
    nodes.VALIDATION: _validate,
    nodes.UNCORDON: _uncordon,
    nodes.FAILED: _recover,
}


def _moved(
    node: Object, state: str | None, *, annotations: Mapping[str, str | None] | None = None, cordon: bool | None = None
) -> Patch:
    """Return the change of a node to another state; None takes the label off."""
    body: Object = {"metadata": {"labels": {STATE: state}, **({"annotations": annotations} if annotations else {})}}
    if cordon is not None:
        body["spec"] = {"unschedulable": cordon or None}
    return Patch(ObjectRef("v1", "Node", name(node)), body, manager=FIELD_MANAGER)
