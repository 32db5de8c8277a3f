"""Find the root cause behind a wait that failed, an object or a refusal. Pure: judges a `Snapshot`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import POLICY_API
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis import gpu_policy, kinds, nodes, pods, refusals, shortage, workloads
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Diagnosis, Weight, diagnosis_of
from aiinfra.domains.kubernetes.diagnosis.messages import one_line
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, name, status
from aiinfra.domains.kubernetes.objects.gpu_nodes import GpuNodesWant, GpuUnitsWant
from aiinfra.domains.kubernetes.objects.wants import AllocatableWant, NodesWant, ObjectWant, Want

_CRD = re.compile(rf"{kinds.CRD} (?P<name>[a-z0-9.-]+[a-z0-9])")
_VERSIONS: Mapping[str, str] = {
    "ClusterPolicy": POLICY_API,
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "StatefulSet": "apps/v1",
}
_ABSENT = re.compile(
    rf"\b(?P<kind>{'|'.join(_VERSIONS)}) (?:(?P<namespace>[a-z0-9-]+)/)?(?P<name>[a-z0-9.-]+) is not there"
)
_RESOURCE = re.compile(r"nvidia\.com/[\w.-]*\w")
WORKLOADS = frozenset({"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job"})


def diagnose_wants(snapshot: Snapshot, wants: Sequence[Want]) -> Diagnosis:
    """Diagnose why these wants do not hold."""
    return diagnosis_of(dict.fromkeys(cause for want in wants for cause in _want_causes(snapshot, want)))


def diagnose_object(snapshot: Snapshot, ref: ObjectRef) -> Diagnosis:
    """Diagnose why this object is not as it should be."""
    return diagnosis_of(_object_causes(snapshot, ref))


def diagnose_text(snapshot: Snapshot, text: str) -> Diagnosis:
    """Diagnose a refusal, or trouble with an object that the text names; empty when nothing is found."""
    found = refusals.refusal_cause(snapshot, text)
    if found.message != one_line(text):
        return diagnosis_of([found])
    named = (diagnose_object(snapshot, ref) for ref in _refs_in(snapshot, text))
    return next((diagnosis for diagnosis in named if diagnosis.causes), Diagnosis())


def can_be_looked_at(snapshot: Snapshot, text: str) -> bool:
    """Return whether a text names something by which its trouble can be told to be over."""
    return next(_refs_in(snapshot, text), None) is not None


def _refs_in(snapshot: Snapshot, text: str) -> Iterator[ObjectRef]:
    """Yield the objects that a text names as `Deployment gpu-operator/gpu-operator`.

    Also absent ones: definitions, and what the text says is not there.
    """
    words = set(text.replace(":", " ").replace(",", " ").split())
    refs = (ObjectRef.of(obj) for obj in snapshot.objects if obj["kind"] in WORKLOADS or obj["kind"] in _BY_KIND)
    yield from (ref for ref in refs if str(ref) in text and str(ref).partition(" ")[2] in words)
    for found in _ABSENT.finditer(text):
        ref = ObjectRef(_VERSIONS[found["kind"]], found["kind"], found["name"], found["namespace"] or "")
        if snapshot.get(ref) is None:
            yield ref
    for found in _CRD.finditer(text):
        yield ObjectRef("apiextensions.k8s.io/v1", kinds.CRD, found["name"])


def _want_causes(snapshot: Snapshot, want: Want) -> Sequence[Cause]:
    match want:
        case ObjectWant():
            return _object_causes(snapshot, want.ref)
        case GpuNodesWant() if unfit := want.uncounted(list(snapshot.all("Node"))):
            return [Cause(f"node {node} {obstacle.message}", obstacle.hint) for node, obstacle in unfit]
        case NodesWant():
            return _label_causes(snapshot, want)
        case GpuUnitsWant():
            policies = _all_policy_causes(snapshot) or gpu_policy.untolerated_taints(snapshot)
            return policies or nodes.missing_devices(snapshot, want)
        case AllocatableWant():
            return _device_causes(snapshot, want)


def _object_causes(snapshot: Snapshot, ref: ObjectRef) -> list[Cause]:
    if by_kind := _BY_KIND.get(ref.kind):
        return by_kind(snapshot, ref)
    obj = snapshot.get(ref)
    if obj is None:
        return _absence_causes(snapshot, ref)
    if ref.kind in WORKLOADS:
        return workloads.causes(snapshot, obj)
    return list(_condition_causes(obj))


def _policy_causes(snapshot: Snapshot, ref: ObjectRef) -> list[Cause]:
    return gpu_policy.causes(snapshot, ref.name)


def _definition_causes(snapshot: Snapshot, ref: ObjectRef) -> list[Cause]:
    crd = snapshot.get(ref)
    if crd is None:
        message = f"no chart or operator has brought {ref} to the cluster yet"
        return [Cause(message, "run again once it is there, or see why the release that carries it left it out")]
    found = kinds.establishment_problem(crd)
    return [found] if found else []


def _pod_causes(snapshot: Snapshot, ref: ObjectRef) -> list[Cause]:
    pod = snapshot.get(ref)
    if pod is None:
        return _absence_causes(snapshot, ref)
    causes = list(pods.grouped_causes(snapshot, [pod], ref.name))
    starved = [c for c in causes if "nvidia.com/" in c.because[0].message and c.gravest == Weight.BLOCKED]
    return [_with_policies(snapshot, c) for c in causes] if starved else causes


def _with_policies(snapshot: Snapshot, cause: Cause) -> Cause:
    """Extend the cause of a pod that finds no GPU by the operator's troubles and by the pods that hold the GPUs."""
    root = cause.because[0]
    asked = _RESOURCE.search(root.message)
    deeper = (*_all_policy_causes(snapshot), *shortage.causes(snapshot, asked[0] if asked else ""))
    return Cause(cause.message, because=(Cause(root.message, root.hint, root.weight, deeper),), weight=cause.weight)


def _namespace_causes(snapshot: Snapshot, ref: ObjectRef) -> list[Cause]:
    found = snapshot.get(ref)
    leaving = found is not None and status(found).get("phase") == "Terminating"
    return [refusals.termination_cause(snapshot, found)] if found and leaving else []


_BY_KIND: Mapping[str, Callable[[Snapshot, ObjectRef], list[Cause]]] = {
    "ClusterPolicy": _policy_causes,
    "CustomResourceDefinition": _definition_causes,
    "Pod": _pod_causes,
    "Namespace": _namespace_causes,
}


def _absence_causes(snapshot: Snapshot, ref: ObjectRef) -> list[Cause]:
    """Explain an absent object: its kind or namespace is missing, or nothing created it."""
    if ref.group and "." in ref.group and (undefined := kinds.definition_problem(snapshot, ref.api_version, ref.kind)):
        return [undefined] if not ref.group.endswith("k8s.io") else []
    place = snapshot.find("Namespace", ref.namespace) if ref.namespace else None
    if place is not None and status(place).get("phase") == "Terminating":
        return [refusals.termination_cause(snapshot, place)]
    return [Cause("nothing made it", weight=Weight.BLOCKED)]


def _label_causes(snapshot: Snapshot, want: NodesWant) -> list[Cause]:
    if any(label.startswith(nodes.FEATURES) for label in want.labels):
        return nodes.missing_labels(snapshot)
    return _all_policy_causes(snapshot) or nodes.missing_labels(snapshot)


def _device_causes(snapshot: Snapshot, want: AllocatableWant) -> list[Cause]:
    found = _all_policy_causes(snapshot) or gpu_policy.untolerated_taints(snapshot)
    shown = f"{nodes.offered_devices(snapshot, want.resource)} of {want.resource}"
    few = Cause(shown, "expect fewer GPUs, or see to the nodes that lack them", weight=Weight.BLOCKED)
    return found or [few]


def _all_policy_causes(snapshot: Snapshot) -> list[Cause]:
    return [cause for policy in snapshot.all("ClusterPolicy") for cause in gpu_policy.causes(snapshot, name(policy))]


def _condition_causes(obj: Object) -> list[Cause]:
    bad = [c for c in status(obj).get("conditions") or () if _is_trouble(c)]
    return [Cause(f"{c['type']}={c['status']}: {one_line(str(c.get('message') or c.get('reason')))}") for c in bad]


def _is_trouble(found: Mapping[str, str]) -> bool:
    """Return whether a condition like Ready is False, or one like Failed is True, with a reason or message."""
    if not (found.get("message") or found.get("reason")):
        return False
    trouble = found["type"] in ("Degraded", "Error", "Failed", "Failure", "Stalled")
    return found["status"] == ("True" if trouble else "False")
