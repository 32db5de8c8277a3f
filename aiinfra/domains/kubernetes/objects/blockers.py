"""What holds up a deletion: what the object says of it, and what stands behind that in the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, NotFound
from aiinfra.domains.kubernetes.client.objects import ApiResource, Object, ObjectRef

MAX_NAMED: Final = 3
"""Objects that a text about many names at most."""
API_SERVICE: Final = ("apiregistration.k8s.io/v1", "APIService")
_DISCOVERY: Final = "NamespaceDeletionDiscoveryFailure"
_BLOCKERS = (
    "Terminating",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
    _DISCOVERY,
)
"""Conditions of definitions and namespaces that are being deleted."""
_LEFT: Final = ("NamespaceFinalizersRemaining", "NamespaceContentRemaining", "InstanceDeletionInProgress")
"""Types of conditions, and a reason of `Terminating`, that say no more than that something is left."""
_REMAINING: Final = re.compile(r"(?P<plural>[\w-]+)\.(?P<group>[\w.-]*) has \d+ resource instances")
"""How a namespace names what is left in it (kubernetes pkg/controller/namespace/deletion/status_condition_utils.go)."""


@dataclass(frozen=True, slots=True)
class Blocker:
    why: str
    hint: str = ""
    """Empty when it is to find out why a controller does not act."""


def blocker(client: KubeClient, obj: Object) -> Blocker:
    """Return what holds up the deletion of an object; what it says itself where the cluster shows no more."""
    try:
        found = _behind(client, obj) if obj["metadata"].get("deletionTimestamp") else None
    except KubeError:
        found = None
    return found or Blocker(deletion_blocker(obj))


def deletion_blocker(obj: Object) -> str:
    """Return what holds up the deletion of an object, as its own status and metadata show it."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        return "it was made again after its deletion, so something still manages it"
    if blocking := _blocking(obj):
        return "; ".join(one["message"] for one in blocking)
    finalizers = [*metadata.get("finalizers", ()), *obj.get("spec", {}).get("finalizers", ())]
    return _waits_for(finalizers) if finalizers else "its deletion is under way"


def _waits_for(finalizers: Sequence[str]) -> str:
    return f"waits for its finalizer {', '.join(finalizers)}, whose controller does not act"


def _blocking(obj: Object) -> list[Object]:
    """Return the conditions by which an object says what holds up its deletion."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return [one for one in conditions if one.get("status") == "True" and one["type"] in _BLOCKERS]


def waits_for_apis(obj: Object) -> bool:
    """Return whether a namespace cannot go as an API of the cluster does not answer, whatever is in the namespace."""
    return any(one["type"] == _DISCOVERY for one in _blocking(obj))


def unavailable_apis(services: Iterable[Object]) -> Blocker | None:
    """Return the APIs that do not answer, of all APIServices; None when all do."""
    found = [(ObjectRef.of(one), condition["message"]) for one in services for condition in _unavailable(one)]
    if not found:
        return None
    said = "; ".join(f"{ref} is not available, as {message}" for ref, message in found[:MAX_NAMED])
    hint = f"bring its server back, or delete {refs_text([ref for ref, _ in found])}"
    return Blocker(f"{said}: no namespace can go", hint)


def _unavailable(service: Object) -> Iterator[Object]:
    conditions = (service.get("status") or {}).get("conditions") or ()
    return (one for one in conditions if one["type"] == "Available" and one["status"] == "False")


def _behind(client: KubeClient, obj: Object) -> Blocker | None:
    if waits_for_apis(obj):
        return unavailable_apis(client.list(*API_SERVICE))
    if obj["kind"] == "CustomResourceDefinition":
        left = list(client.metadata(_defined(obj)))
    elif obj["kind"] == "Namespace":
        left = list(_remaining(client, obj))
    else:
        return None
    failed = [one["message"] for one in _blocking(obj) if one["type"] not in _LEFT and one.get("reason") not in _LEFT]
    return Blocker("; ".join([*failed, _named(left)])) if left else None


def _defined(definition: Object) -> ApiResource:
    spec = definition["spec"]
    version = next(one["name"] for one in spec["versions"] if one["served"])
    names, namespaced = spec["names"], spec["scope"] == "Namespaced"
    return ApiResource(f"{spec['group']}/{version}", names["kind"], names["plural"], namespaced, frozenset({"list"}))


def _remaining(client: KubeClient, namespace: Object) -> Iterator[Object]:
    """Yield what is left in a namespace, of the types that its conditions name."""
    texts = [one["message"] for one in _blocking(namespace)]
    named = {found.group("plural", "group") for text in texts for found in _REMAINING.finditer(text)}
    for one in client.resources(refresh=True) if named else ():
        if (one.plural, one.api_version.rpartition("/")[0]) in named and "list" in one.verbs:
            try:
                yield from client.metadata(one, str(namespace["metadata"]["name"]))
            except NotFound:
                continue


def _named(left: Sequence[Object]) -> str:
    """Return a sentence for what is not gone; what waits for a finalizer comes first."""
    order = sorted(left, key=lambda obj: (not obj["metadata"].get("finalizers"), ObjectRef.of(obj)))
    said = [f"{ObjectRef.of(obj)} {_held(obj)}" for obj in order[:MAX_NAMED]]
    return "; ".join([*said, *([f"and {len(order) - MAX_NAMED} more"] if len(order) > MAX_NAMED else [])])


def _held(obj: Object) -> str:
    if finalizers := obj["metadata"].get("finalizers"):
        return _waits_for(finalizers)
    return "is still being deleted" if obj["metadata"].get("deletionTimestamp") else "is still there"


def refs_text(refs: Sequence[ObjectRef]) -> str:
    """Return references as text: `Pod a, Pod b, Pod c and 4 more`."""
    named = ", ".join(map(str, refs[:MAX_NAMED]))
    return f"{named} and {len(refs) - MAX_NAMED} more" if len(refs) > MAX_NAMED else named
