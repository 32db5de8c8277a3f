"""The GPU Operator: from a ClusterPolicy and NFD's labels to node labels, DaemonSets and the policy's status. Pure.

Follows NVIDIA/gpu-operator v26.7.0: controllers/clusterpolicy_controller.go, nodelabeling_controller.go,
state_manager.go and internal/conditions/clusterpolicy.go. Left out: GPUCluster, and of sandboxed workloads all but the
labels, by which their nodes lose what containers need. The driver's upgrades are in `upgrades`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    CONTAINER,
    DEPLOY_PREFIX,
    GPU_NODE_LABELS,
    GPU_PRESENT,
    NFD_LABEL_PREFIX,
    OPERANDS,
    OPERANDS_DISABLED,
    OPERATOR_DEPLOYMENT,
    UPGRADE_ENABLED,
    WORKLOAD_CONFIG,
    WORKLOAD_LABELS,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import belongings, operands, policy
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.driven_nodes import upgrade_incomplete
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Effect, Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    deleting,
    labels,
    name,
    namespace,
    timestamp,
    uid,
)

FIELD_MANAGER = "gpu-operator"
MIG_DEPLOY = DEPLOY_PREFIX + "mig-manager"
MIG_CAPABLE, MIG_CONFIG = "nvidia.com/mig.capable", "nvidia.com/mig.config"
VGPU_HOST_DRIVER = "nvidia.com/vgpu.host-driver-version"
_MIG_PRODUCTS = ("h100", "a100", "a30")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status that the operator gives a policy: its state and the one condition that carries the reason."""

    ready: bool
    reason: str
    message: str


RECONCILED = Verdict(True, "Reconciled", "ClusterPolicy is ready as all resources have been successfully reconciled")
UPGRADING = (
    "NVIDIADriver upgrade has not completed",
    "one or more NVIDIADriver-owned Nodes are marked pending, in-progress, or failed",
)
NO_NFD_LABELS = Verdict(True, "NFDLabelsMissing", "No NFD labels found")
NO_GPU_NODES = Verdict(True, "NoGPUNodes", "No GPU node found, watching for new nodes to join the cluster.")


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    """Yield everything the operator would do now; nothing while its Deployment is not available."""
    operator = running_operator(view)
    instance = policy.active_policy(view.of("ClusterPolicy"))
    if operator is None or instance is None or deleting(instance):
        return
    yield from (patch for node in view.nodes if (patch := label_patch(node, instance)))
    needed = [] if policy.validation_error(instance) else list(belongings.changes(view, instance, namespace(operator)))
    yield from needed
    changes, verdict = reconcile_operands(view, instance, namespace(operator))
    unseen = any(isinstance(change, Apply) for change in needed)
    yield from (change for change in changes if not (unseen and isinstance(change, Apply)))
    status = desired_status(instance, verdict, namespace(operator), moment.now)
    if status != instance.get("status"):
        yield Patch(ObjectRef.of(instance), {"status": status}, "status")


def running_operator(view: View) -> Object | None:
    """Return the operator's Deployment, once it is available."""
    found = (d for d in view.of("Deployment") if name(d) == OPERATOR_DEPLOYMENT and not deleting(d))
    return next((d for d in found if d.get("status", {}).get("availableReplicas", 0) > 0), None)


def label_patch(node: Object, instance: Object) -> Patch | None:
    """Return the change that gives a node the labels and the annotation that the operator demands; None when it has."""
    has = labels(node)
    desired = {key: value for key, value in desired_labels(has, instance).items() if has.get(key) != value}
    metadata: dict[str, Any] = {"labels": desired} if desired else {}
    enabled = upgrade_mark(has, instance)
    if enabled is not None and annotation(node, UPGRADE_ENABLED) != enabled:
        metadata["annotations"] = {UPGRADE_ENABLED: enabled or None}
    if not metadata:
        return None
    return Patch(ObjectRef("v1", "Node", name(node)), {"metadata": metadata}, manager=FIELD_MANAGER)


def upgrade_mark(has: Any, instance: Object) -> str | None:
    """Return the value of the annotation by which the driver's pods know that they are upgraded.

    Empty: there is none. None: it is left to others, on nodes without a GPU and on those of an NVIDIADriver.
    """
    if has.get(GPU_PRESENT) != "true" or (policy.by_nvidia_driver(instance) and not policy.sandboxed(instance)):
        return None
    return "true" if policy.upgrades_by_itself(instance) else ""


def desired_labels(has: Any, instance: Object) -> dict[str, str | None]:
    """Return the labels to set on a node, None for those to remove. An existing value is kept."""
    gpu = any(has.get(key) == "true" for key in GPU_NODE_LABELS)
    if not gpu:
        gone: dict[str, str | None] = dict.fromkeys(key for key in has if key.startswith(DEPLOY_PREFIX))
        gone.pop(OPERANDS_DISABLED[0], None)
        return {**gone, GPU_PRESENT: "false"} if has.get(GPU_PRESENT) == "true" else gone
    desired: dict[str, str | None] = {GPU_PRESENT: "true"}
    every = {DEPLOY_PREFIX + suffix for suffixes in WORKLOAD_LABELS.values() for suffix in suffixes}
    if has.get(OPERANDS_DISABLED[0]) == OPERANDS_DISABLED[1]:
        return desired | dict.fromkeys(key for key in (*every, MIG_DEPLOY) if key in has)
    workload = _workload(has, instance)
    deployed = [DEPLOY_PREFIX + suffix for suffix in WORKLOAD_LABELS[workload]]
    desired |= dict.fromkeys(key for key in (every - set(deployed)) & has.keys())
    desired |= {key: has.get(key) or "true" for key in deployed}
    if workload != CONTAINER:
        return desired | ({MIG_DEPLOY: None} if MIG_DEPLOY in has else {})
    if mig_capable(has):
        desired[MIG_DEPLOY] = has.get(MIG_DEPLOY, "true")
        manager = policy.section(instance, "migManager")
        default = (manager.get("config") or {}).get("default", "")
        if manager.get("enabled", True) and default == "all-disabled" and not has.get(MIG_CONFIG):
            desired[MIG_CONFIG] = default
    return desired


def _workload(has: Any, instance: Object) -> str:
    """Return what a node is for: its own label says, else the policy, and without sandboxed workloads, containers."""
    if not policy.sandboxed(instance):
        return CONTAINER
    asked = has.get(WORKLOAD_CONFIG) or policy.section(instance, "sandboxWorkloads").get("defaultWorkload")
    return str(asked) if asked in WORKLOAD_LABELS else CONTAINER


def mig_capable(has: Any) -> bool:
    """Whether the node's GPU supports MIG, which a vGPU never does: by GFD's label, otherwise by the product's name."""
    if has.get(VGPU_HOST_DRIVER):
        return False
    if MIG_CAPABLE in has:
        return bool(has[MIG_CAPABLE] == "true")
    product = has.get("nvidia.com/gpu.product", "").lower()
    return any(known in product for known in _MIG_PRODUCTS)


def reconcile_operands(view: View, instance: Object, within: str) -> tuple[list[Effect], Verdict]:
    """Return the changes to DaemonSets, and the status that the operator then gives the policy."""
    gpu_nodes = sorted((n for n in view.nodes if labels(n).get(GPU_PRESENT) == "true"), key=name)
    if refusal := policy.validation_error(instance):
        return [], _failed(f"error validating clusterpolicy: {refusal}")
    if not gpu_nodes:
        kept = _kept_daemonsets(view, instance)
        return list(_remove_other_daemonsets(view, instance, within, kept)), _idle_verdict(view)
    try:
        info = policy.os_info(gpu_nodes)
    except policy.Irreconcilable as error:
        return [], _failed(str(error))
    changes: list[Effect] = []
    waiting: list[str] = []
    desired: set[str] = set()
    walk = operands.daemonsets(instance, within, info)
    state = OPERANDS[0].state
    try:
        for operand, sets in walk:
            state = _next_state(operand.state)
            desired |= {name(daemonset) for daemonset in sets}
            changes += [c for daemonset in sets if (c := apply_changed(view, daemonset, within))]
            if not all(_ready(view, daemonset, within) for daemonset in sets):
                waiting.append(operand.state)
    except policy.Irreconcilable as error:
        return changes, _failed(f"Failed to reconcile {state}: {error}")
    changes += _remove_other_daemonsets(view, instance, within, desired)
    upgrading = policy.by_nvidia_driver(instance) and upgrade_incomplete(view)
    return changes, _not_ready(waiting, upgrading=upgrading) if waiting or upgrading else RECONCILED


def _next_state(state: str) -> str:
    states = [operand.state for operand in OPERANDS]
    return states[min(states.index(state) + 1, len(states) - 1)]


def _idle_verdict(view: View) -> Verdict:
    """Return the verdict without a GPU node: the operator reports `ready`, so that state proves little."""
    discovered = any(key.startswith(NFD_LABEL_PREFIX) for node in view.nodes for key in labels(node))
    return NO_GPU_NODES if discovered else NO_NFD_LABELS


def _failed(message: str) -> Verdict:
    return Verdict(False, "ReconcileFailed", message)


def _not_ready(states: Sequence[str], *, upgrading: bool) -> Verdict:
    parts = ["ClusterPolicy is not ready", *([f"states not ready: [{' '.join(states)}]"] if states else ())]
    return Verdict(False, "OperandNotReady", "; ".join([*parts, *(UPGRADING if upgrading else ())]))


def apply_changed(view: View, desired: Object, within: str) -> Apply | None:
    """Return what makes a DaemonSet as it is wanted; None when it is."""
    existing = view.find("DaemonSet", name(desired), within)
    if existing is not None and annotation(existing, operands.HASH) == annotation(desired, operands.HASH):
        return None
    return Apply(desired, FIELD_MANAGER)


def _kept_daemonsets(view: View, instance: Object) -> set[str]:
    """Return the DaemonSets to keep without GPU nodes: all but those of disabled operands; none is created."""
    off = {operand.daemonset for operand in OPERANDS if not policy.enabled(instance, operand)}
    return {name(d) for d in view.of("DaemonSet") if name(d) not in off}


def _remove_other_daemonsets(view: View, instance: Object, within: str, desired: set[str]) -> Iterator[Effect]:
    for daemonset in owned_daemonsets(view, instance, within):
        if name(daemonset) not in desired:
            yield Remove(ObjectRef.of(daemonset))


def owned_daemonsets(view: View, owner: Object, within: str) -> Iterator[Object]:
    """Yield the DaemonSets of a ClusterPolicy or an NVIDIADriver that are not being deleted."""
    for daemonset in view.of("DaemonSet"):
        owners = daemonset["metadata"].get("ownerReferences") or ()
        owned = any(reference["uid"] == uid(owner) for reference in owners)
        if owned and namespace(daemonset) == within and not deleting(daemonset):
            yield daemonset


def _ready(view: View, desired: Object, within: str) -> bool:
    existing = view.find("DaemonSet", name(desired), within)
    return existing is not None and daemonset_ready(existing)


def daemonset_ready(daemonset: Object) -> bool:
    """Whether the operator's `isDaemonSetReady` holds: no pod is desired, or all are current and available."""
    status = daemonset.get("status", {})
    desired = status.get("desiredNumberScheduled", 0)
    if status.get("observedGeneration", 0) < daemonset["metadata"].get("generation", 1):
        return False
    if desired == 0:
        return True
    unavailable = status.get("numberUnavailable", 0) or status.get("numberAvailable", 0) < desired
    return not unavailable and bool(status.get("updatedNumberScheduled", 0) == desired)


def desired_status(instance: Object, verdict: Verdict, within: str, now: datetime) -> dict[str, Any]:
    """Return the `.status` of the policy."""
    state = "ready" if verdict.ready else "notReady"
    return {"state": state, "namespace": within, "conditions": conditions(instance, verdict, now)}


def conditions(instance: Object, verdict: Verdict, now: datetime) -> list[dict[str, str]]:
    """Return the two conditions that say a verdict; a condition keeps its time while its status stays."""
    if verdict.ready:
        ready, error = ("True", verdict.reason, verdict.message), ("False", "Ready", "")
    else:
        ready, error = ("False", "Error", ""), ("True", verdict.reason, verdict.message)
    before = {c["type"]: c for c in instance.get("status", {}).get("conditions") or ()}
    return [_condition(before.get(kind), kind, says, now) for kind, says in (("Ready", ready), ("Error", error))]


def _condition(before: Object | None, kind: str, says: tuple[str, str, str], now: datetime) -> dict[str, str]:
    status, reason, message = says
    since = before["lastTransitionTime"] if before and before["status"] == status else timestamp(now)
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
