"""Why a ClusterPolicy is not ready: the operator, its operands in their order, the labels it needs. Pure.

NVIDIA/gpu-operator v26.7.0: internal/conditions/clusterpolicy.go, controllers/state_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis import kinds, nodes, scheduling, workloads
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.messages import one_line
from aiinfra.domains.kubernetes.diagnosis.operand_states import lacking_operands
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, condition, labels, name, status
from aiinfra.domains.kubernetes.diagnosis.workloads import pods_of
from aiinfra.domains.kubernetes.objects.operands import UPGRADE_STATE

API, KIND = "nvidia.com/v1", "ClusterPolicy"
OPERATOR = "gpu-operator"
IDLE = frozenset({"NFDLabelsMissing", "NoGPUNodes"})
ONLY_WAITING = frozenset({"OperandNotReady", "DriverNotReady", "NodeStatusExporterNotReady", ""})
ORDER: Sequence[str] = (
    "nvidia-driver-daemonset",
    "nvidia-container-toolkit-daemonset",
    "nvidia-operator-validator",
    "nvidia-device-plugin-daemonset",
    "gpu-feature-discovery",
)
"""Operands in the order in which each waits for the ones before it."""


def causes(snapshot: Snapshot, policy: str) -> list[Cause]:
    """Return why the ClusterPolicy named `policy` is not ready."""
    if (undefined := kinds.definition_problem(snapshot, API, KIND)) is not None:
        return [undefined]
    found = snapshot.find(KIND, policy)
    operator = [cause for deployment in _operators(snapshot) for cause in workloads.causes(snapshot, deployment)]
    if found is None:
        return operator or [_absent(snapshot)]
    if any(cause.gravest > Weight.WAITING for cause in operator):
        return [*operator, *_of_operands(snapshot, found)]  # the policy's status may be outdated
    return [*operator, *_of_policy(snapshot, found)]


def _operators(snapshot: Snapshot) -> list[Object]:
    return [d for d in snapshot.all("Deployment") if OPERATOR in (name(d), labels(d).get("app"))]


def _absent(snapshot: Snapshot) -> Cause:
    others = ", ".join(map(name, snapshot.all(KIND)))
    if others:
        return Cause(f"the cluster has another ClusterPolicy: {others}", "give its name, or delete it")
    return Cause("nothing made it", "see whether the chart or the stack that makes it ran to its end")


def _of_policy(snapshot: Snapshot, policy: Object) -> Iterator[Cause]:
    if status(policy).get("state") == "ignored":
        yield Cause("the operator ignores it, as there is an older ClusterPolicy", "keep one ClusterPolicy")
    if condition(policy, "Ready").get("reason") in IDLE:
        yield from nodes.missing_labels(snapshot)
        return
    yield from _of_operands(snapshot, policy)
    error = condition(policy, "Error")
    reason = str(error.get("reason") or "") if error.get("status") == "True" else ""
    if reason not in ONLY_WAITING:
        yield Cause(
            f"the operator says {reason}: {one_line(str(error.get('message', '')))}", "correct the ClusterPolicy"
        )
    if not _operators(snapshot):
        yield Cause("no GPU Operator runs in the cluster", "install it", weight=Weight.BLOCKED)
    hosts = [
        pod["spec"].get("nodeName", "") for operator in _operators(snapshot) for pod in pods_of(snapshot, operator)
    ]
    yield from nodes.unready_nodes(snapshot, hosts)


def untolerated_taints(snapshot: Snapshot) -> list[Cause]:
    """Return the taints that keep operands off nodes, each once, for the operand that all others wait for."""
    operands = [each for policy in snapshot.all(KIND) for each in snapshot.owned(policy, "DaemonSet")]
    return [
        cause
        for operand in sorted(operands, key=_order)[:1]
        for cause in scheduling.untolerated_taints(snapshot, operand)
    ]


def _of_operands(snapshot: Snapshot, policy: Object) -> list[Cause]:
    """Return the causes of the operands in their order.

    Each waits for those before it, so that while nothing is worse only the first is of interest. One that no node is
    labelled for is ready to the operator: nodes without MIG have no MIG manager, those without MPS no MPS daemon.
    """
    every = sorted(snapshot.owned(policy, "DaemonSet"), key=_order)
    operands = lacking_operands(policy, every)
    placed = [operand for operand in operands if _placed(operand)]
    found = [cause for operand in placed for cause in workloads.causes(snapshot, operand)]
    unplaced = [operand for operand in operands if operand not in placed]
    found += [cause for operand in unplaced for cause in scheduling.untolerated_taints(snapshot, operand)]
    found += _failed_upgrades(snapshot)
    if all(cause.gravest == Weight.WAITING for cause in found):
        found = found[:1]
    if found or any(map(_placed, every)):
        return found
    return [cause for operand in unplaced[:1] for cause in workloads.causes(snapshot, operand)]


def _placed(operand: Object) -> bool:
    return bool(status(operand).get("desiredNumberScheduled"))


def _failed_upgrades(snapshot: Snapshot) -> Iterator[Cause]:
    """Yield the nodes whose driver upgrade failed, which the operator does not try again by itself.

    NVIDIA/gpu-operator issue 2549.
    """
    for node in snapshot.all("Node"):
        if labels(node).get(UPGRADE_STATE) == "upgrade-failed":
            again = f"kubectl label node {name(node)} {UPGRADE_STATE}=upgrade-required --overwrite"
            message = f"the upgrade of the driver on {name(node)} failed, and is not tried again"
            yield Cause(message, f"once its driver's pod runs: {again}")


def _order(daemonset: Object) -> int:
    app = labels(daemonset).get("app", name(daemonset))
    return next((rank for rank, known in enumerate(ORDER) if app.startswith(known)), len(ORDER))
