"""What of others goes, or stops working, with what a destroy removes from one cluster. Pure.

Others' are the objects without our mark that nothing of ours owns: under a definition that goes, in a namespace that
goes, and pods that hold a resource which nodes no longer offer, or a device that nothing drives any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.needs import DeviceDrivers
from aiinfra.domains.kubernetes.objects.claims import HeldDevice, left_without_drivers, node_of
from aiinfra.report.run import Dependent
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID, MARK_STACK

RELEASE_NAME, RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
"""Annotations that Helm puts on every object of a release (helm/helm pkg/action/validate.go)."""
HOOK: Final = "helm.sh/hook"
INSTANCE: Final = "app.kubernetes.io/instance"
STORED: Final = "sh.helm.release.v1."
"""Prefix of the Secrets in which Helm stores a release (helm/helm pkg/storage/storage.go makeKey)."""
FOLLOWERS: Final = frozenset({"ControllerRevision", "Endpoints", "EndpointSlice", "Event", "Lease", "PodMetrics"})
"""Kinds whose objects controllers make beside others, or to elect a leader: nobody loses them by themselves."""
AUTOMATIC: Final = frozenset(
    {
        ("ServiceAccount", "default"),
        ("ConfigMap", "kube-root-ca.crt"),
        *(("ServiceAccount", name) for name in ("builder", "deployer", "pipeline")),
        ("ConfigMap", "openshift-service-ca.crt"),
        ("ConfigMap", "istio-ca-root-cert"),
    }
)
"""What is put into every namespace: kubernetes pkg/controller/serviceaccount and rootcacertpublisher, OpenShift's
controllers, istio pilot/pkg/bootstrap NamespaceController."""
ACCOUNT: Final = "kubernetes.io/service-account.name"
"""Annotation of a Secret with the token of a ServiceAccount."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a destroy removes from one cluster, each with the stack that it belongs to."""

    environment: str
    environment_id: str
    """Empty when it is lost; then the name decides whose an object is."""
    stacks: Collection[str]
    """Those that are destroyed."""
    definitions: Mapping[str, str] = field(default_factory=dict)
    """By name of a CustomResourceDefinition."""
    namespaces: Mapping[str, str] = field(default_factory=dict)
    releases: Collection[tuple[str, str]] = ()
    """Namespace and name of Helm releases."""
    resources: Mapping[str, str] = field(default_factory=dict)
    """By pattern of an extended resource that nodes offer until then: `nvidia.com/mig-*`."""
    devices: Sequence[tuple[str, DeviceDrivers]] = ()
    """Devices that work by the software of a stack."""
    whole: bool = False
    """Whether everything of the environment goes, whatever stack it is marked with."""
    unowned: Collection[str] = ()
    """Patterns of what its programs make in its namespaces and nothing owns: `Secret cert-manager-webhook-ca`."""


def dependents(removal: Removal, objects: Iterable[Object], kinds: Mapping[tuple[str, str], str]) -> list[Dependent]:
    """Return what others lose. `objects` are those that may be lost, and their owners as far as they are known.

    `kinds`: by group and kind, the name of the definition that serves it. What is owned by something that is lost goes
    unnamed with its owner, and what is owned by something that is gone is being collected; the objects of a Helm
    release of somebody else are named as that.
    """
    everything = {obj["metadata"]["uid"]: obj for obj in objects}
    ours = _ours(removal, everything)
    staying = {uid: obj for uid, obj in everything.items() if uid not in ours and not _orphaned(obj, everything)}
    bereft = [(stack, left_without_drivers(drivers, everything, ours)) for stack, drivers in removal.devices]
    lost = {uid: loss for uid, obj in staying.items() if (loss := _loss(removal, obj, kinds) or _bereft(bereft, obj))}
    roots = (uid for uid in lost if not any(owner in lost for owner in _owners(everything[uid])))
    return sorted({lost[uid] for uid in roots}, key=lambda one: (one.stack, one.loss, one.what))


def under_definitions(
    removal: Removal, objects: Iterable[Object], kinds: Mapping[tuple[str, str], str]
) -> list[ObjectRef]:
    """Return those of others under a definition that goes."""
    everything = {obj["metadata"]["uid"]: obj for obj in objects}
    ours = _ours(removal, everything)
    left = (obj for uid, obj in everything.items() if uid not in ours and not _leaving(obj))
    return sorted(ObjectRef.of(obj) for obj in left if kinds.get(_kind(obj)) in removal.definitions)


def held(pod: Object, pattern: str) -> str:
    """Return the resource whose name fits the pattern and that a pod holds on a node; empty when there is none."""
    if not node_of(pod):
        return ""
    return next((name for name in sorted(set(_resources(pod["spec"]))) if fnmatchcase(name, pattern)), "")


def _resources(spec: Mapping[str, Any]) -> Iterator[str]:
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        asked = container.get("resources") or {}
        yield from (asked.get("limits") or {}).keys() | (asked.get("requests") or {}).keys()


def _loss(removal: Removal, obj: Object, kinds: Mapping[tuple[str, str], str]) -> Dependent | None:
    """Return the stack that takes the object along, and how; None when it loses nothing."""
    if _leaving(obj):
        return None
    definition, namespace = kinds.get(_kind(obj), ""), obj["metadata"].get("namespace", "")
    if definition in removal.definitions:
        loss = f"lost with CustomResourceDefinition {definition}"
        return Dependent(removal.definitions[definition], _name(obj), loss)
    if namespace in removal.namespaces and not _automatic(obj):
        return Dependent(removal.namespaces[namespace], _name(obj), f"lost with Namespace {namespace}")
    if obj["kind"] == "Pod":
        for pattern, stack in removal.resources.items():
            if resource := held(obj, pattern):
                loss = f"left without {resource}, which no node offers once {stack} is gone"
                return Dependent(stack, _name(obj), loss)
    return None


def _bereft(held: Iterable[tuple[str, Mapping[str, Sequence[HeldDevice]]]], obj: Object) -> Dependent | None:
    """Return the stack that drives the devices which a pod holds by claims; None when it holds none of them.

    `held`: stacks, each with what pods hold of its devices, by the pod's uid.
    """
    if _leaving(obj):
        return None
    for stack, by_pod in held:
        if devices := by_pod.get(obj["metadata"]["uid"]):
            claims = ", ".join(dict.fromkeys(f"ResourceClaim {device.claim}" for device in devices))
            drivers = " and ".join(dict.fromkeys(device.driver for device in devices))
            loss = f"left without its devices of {drivers}, which nothing drives once {stack} is gone"
            return Dependent(stack, f"{_name(obj)} ({claims})", loss)
    return None


def _leaving(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _orphaned(obj: Object, everything: Mapping[str, Object]) -> bool:
    owners = _owners(obj)
    return bool(owners) and not any(owner in everything for owner in owners)


def _automatic(obj: Object) -> bool:
    """Whether the cluster itself puts the object into a namespace."""
    metadata, kind = obj["metadata"], obj["kind"]
    name = metadata["name"]
    role = kind == "RoleBinding" and name.startswith("system:")
    token = kind == "Secret" and ACCOUNT in (metadata.get("annotations") or {})
    return kind in FOLLOWERS or (kind, name) in AUTOMATIC or role or token


def _ours(removal: Removal, everything: Mapping[str, Object]) -> set[str]:
    """The uids of what is destroyed as ours: marked, of a release of ours, or owned by such."""
    ours = {uid for uid, obj in everything.items() if _made_by_us(removal, obj)}
    while more := {uid for uid, obj in everything.items() if uid not in ours and not ours.isdisjoint(_owners(obj))}:
        ours |= more
    return ours


def _made_by_us(removal: Removal, obj: Object) -> bool:
    metadata = obj["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    marked = labels.get(MARK_ID) == removal.environment_id or (
        not removal.environment_id and labels.get(MARK_ENVIRONMENT) == removal.environment
    )
    if marked and labels.get(MARK_ID):
        return removal.whole or labels.get(MARK_STACK) in removal.stacks
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    if (annotations.get(RELEASE_NAMESPACE), annotations.get(RELEASE_NAME)) in removal.releases:
        return True
    if release := _stored_release(obj):
        return (namespace, release) in removal.releases
    if HOOK in annotations and namespace in removal.namespaces:
        return (namespace, labels.get(INSTANCE, "")) in removal.releases or INSTANCE not in labels
    return namespace in removal.namespaces and any(fnmatchcase(f"{obj['kind']} {name}", p) for p in removal.unowned)


def _stored_release(obj: Object) -> str:
    """The release that a Secret of Helm stores; empty for any other object."""
    metadata = obj["metadata"]
    labels = metadata.get("labels") or {}
    stores = obj["kind"] == "Secret" and labels.get("owner") == "helm" and metadata["name"].startswith(STORED)
    return labels.get("name", "") if stores else ""


def _owners(obj: Object) -> Collection[str]:
    return [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()]


def _kind(obj: Object) -> tuple[str, str]:
    return obj["apiVersion"].rpartition("/")[0], obj["kind"]


def _name(obj: Object) -> str:
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    if stored := _stored_release(obj):
        return f"Helm release {metadata.get('namespace', '')}/{stored}"
    if RELEASE_NAME in annotations:
        return f"Helm release {annotations.get(RELEASE_NAMESPACE, '')}/{annotations[RELEASE_NAME]}"
    return str(ObjectRef.of(obj))
