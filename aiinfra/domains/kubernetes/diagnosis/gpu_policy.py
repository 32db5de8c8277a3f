"""Why a ClusterPolicy is not ready: the operator, its operands in their order, the labels it needs. Pure.

NVIDIA/gpu-operator v26.7.0: internal/conditions/clusterpolicy.go, controllers/state_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis import kinds, nodes, placing, workloads
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.readings import clean
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, condition, labels, name, status
from aiinfra.domains.kubernetes.diagnosis.workloads import pods_of

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
"""Operands whose failure makes later ones wait, first one first."""


def why(scene: Scene, policy: str) -> list[Cause]:
    """The causes; `policy` is the ClusterPolicy's name."""
    if (undefined := kinds.definition(scene, API, KIND)) is not None:
        return [undefined]
    found = scene.find(KIND, policy)
    operator = [cause for deployment in _operators(scene) for cause in workloads.why(scene, deployment)]
    if found is None:
        return operator or [_absent(scene)]
    if any(cause.gravest > Weight.WAITING for cause in operator):
        return [*operator, *_of_operands(scene, found)]  # what it last said of the policy may be old
    return [*operator, *_of_policy(scene, found)]


def _operators(scene: Scene) -> list[Object]:
    return [d for d in scene.all("Deployment") if OPERATOR in (name(d), labels(d).get("app"))]


def _absent(scene: Scene) -> Cause:
    others = ", ".join(map(name, scene.all(KIND)))
    if others:
        return Cause(f"the cluster has another ClusterPolicy: {others}", "give its name, or delete it")
    return Cause("nothing made it", "see whether the chart or the stack that makes it ran to its end")


def _of_policy(scene: Scene, policy: Object) -> Iterator[Cause]:
    if status(policy).get("state") == "ignored":
        yield Cause("the operator ignores it, as there is an older ClusterPolicy", "keep one ClusterPolicy")
    if condition(policy, "Ready").get("reason") in IDLE:
        yield from nodes.unlabelled(scene)
        return
    yield from _of_operands(scene, policy)
    error = condition(policy, "Error")
    reason = str(error.get("reason") or "") if error.get("status") == "True" else ""
    if reason not in ONLY_WAITING:
        yield Cause(f"the operator says {reason}: {clean(str(error.get('message', '')))}", "correct the ClusterPolicy")
    if not _operators(scene):
        yield Cause("no GPU Operator runs in the cluster", "install it", weight=Weight.BLOCKED)
    hosts = [pod["spec"].get("nodeName", "") for operator in _operators(scene) for pod in pods_of(scene, operator)]
    yield from nodes.not_ready(scene, hosts)


def kept_off(scene: Scene) -> list[Cause]:
    """Nodes that repel the operands: a taint counts once, by the operand that all others wait for."""
    operands = [each for policy in scene.all(KIND) for each in scene.owned(policy, "DaemonSet")]
    return [cause for operand in sorted(operands, key=_order)[:1] for cause in placing.kept_off(scene, operand)]


def _of_operands(scene: Scene, policy: Object) -> Iterator[Cause]:
    for operand in sorted(scene.owned(policy, "DaemonSet"), key=_order):
        yield from workloads.why(scene, operand)


def _order(daemonset: Object) -> int:
    app = labels(daemonset).get("app", name(daemonset))
    return next((rank for rank, known in enumerate(ORDER) if app.startswith(known)), len(ORDER))
