"""Find and remove everything in a cluster that carries an environment's mark; the world is asked, not our state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import ApiResource, Object, ObjectRef
from aiinfra.domains.kubernetes.objects.dependents import census
from aiinfra.domains.kubernetes.objects.removing import Left, await_gone, remove_all
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID
from aiinfra.waiting import Waiter

RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
"""Annotation that Helm puts on every object of a release (helm/helm pkg/action/validate.go)."""
OF_EVERY_CLUSTER = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces that a cluster makes itself: releases in them are other people's, whatever mark the namespace bears."""
NONE: Mapping[str, str] = MappingProxyType({})
LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class Swept:
    removed: Sequence[ObjectRef]
    left: Sequence[Left]
    """What did not go, and types that could not be asked (named `*`): nothing is proved about those."""


def namespaces_of(client: KubeClient, environment_id: str) -> dict[str, str]:
    """uid by name of the namespaces that bear the environment's mark, those that are going included."""
    marked = client.list("v1", "Namespace", labels=f"{MARK_ID}={environment_id}")
    return {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in marked}


def inventory(client: KubeClient, environment_id: str, *, namespaces: Mapping[str, str] = NONE) -> list[ObjectRef]:
    """All objects marked with the id, and cluster-wide objects of Helm releases in its namespaces.

    `namespaces` are those that bore its mark earlier, by name their uid: one that is gone counts, one of the same
    name that somebody made since does not. Raises the first refusal when some type of object could not be asked.
    """
    found, unasked = _find(client, environment_id, {**namespaces})
    if unasked:
        raise next(iter(unasked.values()))
    return sorted(found)


def namesakes(client: KubeClient, environment: str) -> Mapping[str, Sequence[ObjectRef]]:
    """Objects marked with the environment's name, by the id that they carry: for when its own id is not known."""
    found: dict[str, list[ObjectRef]] = {}
    for obj in census(client, labels=f"{MARK_ENVIRONMENT}={environment}").objects:
        found.setdefault(obj["metadata"]["labels"].get(MARK_ID, ""), []).append(ObjectRef.of(obj))
    return {id: sorted(refs) for id, refs in sorted(found.items())}


def strays(client: KubeClient, namespaces: Collection[str]) -> Mapping[str, Sequence[ObjectRef]]:
    """Cluster-wide objects of Helm releases in those of the namespaces that are gone, by namespace."""
    gone = {name for name in namespaces if client.get(ObjectRef("v1", "Namespace", name)) is None}
    found: dict[str, list[ObjectRef]] = {}
    for obj in census(client, cluster_scoped_only=True).objects if gone else ():
        if (place := _release_namespace(obj)) in gone:
            found.setdefault(place, []).append(ObjectRef.of(obj))
    return {place: sorted(refs) for place, refs in sorted(found.items())}


def sweep(
    client: KubeClient,
    environment_id: str,
    *,
    namespaces: Mapping[str, str] = NONE,
    say: Callable[[str], None] = lambda text: None,
    stop: threading.Event | None = None,
    limit_seconds: float = LIMIT,
) -> Swept:
    """Remove what `inventory` tells in the order that kinds need, owners before what they own, and see it gone."""

    def waiter() -> Waiter:
        return Waiter(limit_seconds, stop=stop or threading.Event(), on_wait=lambda what, seconds: say(what))

    removed: list[ObjectRef] = []
    known = {**namespaces}
    found, unasked = _find(client, environment_id, known)
    left: list[Left] = []
    while found and not left:
        uids = {ref: obj["metadata"]["uid"] for ref, obj in found.items()}
        roots = [ref for ref, obj in found.items() if not obj["metadata"].get("ownerReferences")]
        left = remove_all(client, roots or list(found), uids, waiter) or await_gone(client, list(found), uids, waiter())
        removed += [ref for ref in found if ref not in {item.ref for item in left}]
        found, unasked = _find(client, environment_id, known)
    return Swept(sorted(set(removed)), [*left, *(_unasked(resource, error) for resource, error in unasked.items())])


def _find(
    client: KubeClient, environment_id: str, known: dict[str, str]
) -> tuple[dict[ObjectRef, Object], Mapping[ApiResource, KubeError]]:
    """`known` learns the marked namespaces: it is needed when they are gone and found no more."""
    marked = census(client, labels=f"{MARK_ID}={environment_id}")
    known |= {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in marked.objects if obj["kind"] == "Namespace"}
    ours = set(_still_ours(client, known))
    wide = census(client, cluster_scoped_only=True) if ours else None
    helm = [obj for obj in wide.objects if _release_namespace(obj) in ours] if wide else []
    unasked = {**marked.unasked, **(wide.unasked if wide else {})}
    return {ObjectRef.of(obj): obj for obj in (*marked.objects, *helm)}, unasked


def _still_ours(client: KubeClient, known: Mapping[str, str]) -> Iterator[str]:
    for name in known.keys() - OF_EVERY_CLUSTER:
        standing = client.get(ObjectRef("v1", "Namespace", name))
        if standing is None or standing["metadata"]["uid"] == known[name]:
            yield name


def _release_namespace(obj: Object) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(RELEASE_NAMESPACE, ""))


def _unasked(resource: ApiResource, error: KubeError) -> Left:
    return Left(ObjectRef(resource.api_version, resource.kind, "*"), f"could not be listed: {error.record.message}")
