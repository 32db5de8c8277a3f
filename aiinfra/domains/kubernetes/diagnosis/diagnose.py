"""From what did not come true to the root of it. Pure: judges a `Scene`, knows nothing of where it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis import gpu_policy, kinds, nodes, pods, refusals, shortage, workloads
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Diagnosis, Weight, told
from aiinfra.domains.kubernetes.diagnosis.readings import clean
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, name, status
from aiinfra.domains.kubernetes.objects.gpu_nodes import GpuNodesWant, GpuUnitsWant
from aiinfra.domains.kubernetes.objects.wants import AllocatableWant, NodesWant, ObjectWant, Want

_CRD = re.compile(rf"{kinds.CRD} (?P<name>[a-z0-9.-]+[a-z0-9])")
_RESOURCE = re.compile(r"nvidia\.com/[\w.-]*\w")
WORKLOADS = frozenset({"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job"})


def diagnose_wants(scene: Scene, wants: Sequence[Want]) -> Diagnosis:
    """Why these wants do not hold."""
    return told(dict.fromkeys(cause for want in wants for cause in _of_want(scene, want)))


def diagnose_object(scene: Scene, ref: ObjectRef) -> Diagnosis:
    """Why this object is not as it should be."""
    return told(_of_object(scene, ref))


def diagnose_text(scene: Scene, text: str) -> Diagnosis:
    """What stands behind a refusal, or behind trouble with an object that the text names; empty if nothing is seen."""
    found = refusals.refused(scene, text)
    if found.says != clean(text):
        return told([found])
    named = (diagnose_object(scene, ref) for ref in _named(scene, text))
    return next((diagnosis for diagnosis in named if diagnosis.causes), Diagnosis())


def _named(scene: Scene, text: str) -> Iterator[ObjectRef]:
    """Objects named as we write them, `Deployment gpu-operator/gpu-operator`; CRDs that are not there too."""
    words = set(text.replace(":", " ").replace(",", " ").split())
    refs = (ObjectRef.of(obj) for obj in scene.objects if obj["kind"] in WORKLOADS or obj["kind"] in _KNOWN)
    yield from (ref for ref in refs if str(ref) in text and str(ref).partition(" ")[2] in words)
    for found in _CRD.finditer(text):
        yield ObjectRef("apiextensions.k8s.io/v1", kinds.CRD, found["name"])


def _of_want(scene: Scene, want: Want) -> Sequence[Cause]:
    match want:
        case ObjectWant():
            return _of_object(scene, want.ref)
        case GpuNodesWant() if unfit := want.uncounted(list(scene.all("Node"))):
            return [Cause(f"node {node} {obstacle.says}", obstacle.hint) for node, obstacle in unfit]
        case NodesWant():
            return _unlabelled(scene, want)
        case GpuUnitsWant():
            return _policies(scene) or gpu_policy.kept_off(scene) or nodes.lacking(scene, want)
        case AllocatableWant():
            return _not_offered(scene, want)


def _of_object(scene: Scene, ref: ObjectRef) -> list[Cause]:
    if known := _KNOWN.get(ref.kind):
        return known(scene, ref)
    obj = scene.get(ref)
    if obj is None:
        return _nowhere(scene, ref)
    if ref.kind in WORKLOADS:
        return workloads.why(scene, obj)
    return list(_own_conditions(obj))


def _policy(scene: Scene, ref: ObjectRef) -> list[Cause]:
    return gpu_policy.why(scene, ref.name)


def _definition(scene: Scene, ref: ObjectRef) -> list[Cause]:
    crd = scene.get(ref)
    if crd is None:
        says = f"no chart or operator has brought {ref} to the cluster yet"
        return [Cause(says, "run again once it is there, or see why the release that carries it left it out")]
    found = kinds.not_established(crd)
    return [found] if found else []


def _pod(scene: Scene, ref: ObjectRef) -> list[Cause]:
    pod = scene.get(ref)
    if pod is None:
        return _nowhere(scene, ref)
    causes = list(pods.alike(scene, [pod], ref.name))
    starved = [c for c in causes if "nvidia.com/" in c.because[0].says and c.gravest == Weight.BLOCKED]
    return [_with_policies(scene, c) for c in causes] if starved else causes


def _with_policies(scene: Scene, cause: Cause) -> Cause:
    """A pod that finds no GPU: behind it are the operator's troubles, or those who hold the GPUs."""
    root = cause.because[0]
    asked = _RESOURCE.search(root.says)
    deeper = (*_policies(scene), *shortage.why(scene, asked[0] if asked else ""))
    return Cause(cause.says, because=(Cause(root.says, root.hint, root.weight, deeper),), weight=cause.weight)


def _place(scene: Scene, ref: ObjectRef) -> list[Cause]:
    found = scene.get(ref)
    return [refusals.terminating(found)] if found and status(found).get("phase") == "Terminating" else []


_KNOWN: Mapping[str, Callable[[Scene, ObjectRef], list[Cause]]] = {
    "ClusterPolicy": _policy,
    "CustomResourceDefinition": _definition,
    "Pod": _pod,
    "Namespace": _place,
}


def _nowhere(scene: Scene, ref: ObjectRef) -> list[Cause]:
    """An object that does not exist: for want of its kind or namespace, or because nothing made it."""
    if ref.group and "." in ref.group and (undefined := kinds.definition(scene, ref.api_version, ref.kind)):
        return [undefined] if not ref.group.endswith("k8s.io") else []
    place = scene.find("Namespace", ref.namespace) if ref.namespace else None
    if place is not None and status(place).get("phase") == "Terminating":
        return [refusals.terminating(place)]
    return [Cause("nothing made it", weight=Weight.BLOCKED)]


def _unlabelled(scene: Scene, want: NodesWant) -> list[Cause]:
    if any(label.startswith(nodes.FEATURES) for label in want.labels):
        return nodes.unlabelled(scene)
    return _policies(scene) or nodes.unlabelled(scene)


def _not_offered(scene: Scene, want: AllocatableWant) -> list[Cause]:
    found = _policies(scene) or gpu_policy.kept_off(scene)
    shown = f"{nodes.offers(scene, want.resource)} of {want.resource}"
    few = Cause(shown, "expect fewer GPUs, or see to the nodes that lack them", weight=Weight.BLOCKED)
    return found or [few]


def _policies(scene: Scene) -> list[Cause]:
    return [cause for policy in scene.all("ClusterPolicy") for cause in gpu_policy.why(scene, name(policy))]


def _own_conditions(obj: Object) -> list[Cause]:
    bad = [c for c in status(obj).get("conditions") or () if _tells_trouble(c)]
    return [Cause(f"{c['type']}={c['status']}: {clean(str(c.get('message') or c.get('reason')))}") for c in bad]


def _tells_trouble(found: Mapping[str, str]) -> bool:
    """Ready-like conditions that are False, and trouble-like ones that are True."""
    if not (found.get("message") or found.get("reason")):
        return False
    trouble = found["type"] in ("Degraded", "Error", "Failed", "Failure", "Stalled")
    return found["status"] == ("True" if trouble else "False")
