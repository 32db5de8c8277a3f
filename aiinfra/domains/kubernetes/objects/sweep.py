"""Find and remove everything in a cluster that carries an environment's mark; the world is asked, not our state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import ApiResource, Object, ObjectRef
from aiinfra.domains.kubernetes.objects.dependents import census
from aiinfra.domains.kubernetes.objects.removing import Leftover, await_gone, remove_all
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID
from aiinfra.waiting import Waiter

RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
"""Annotation that Helm puts on every object of a release (helm/helm pkg/action/validate.go)."""
BUILTIN_NAMESPACES = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces that every cluster has. Releases in them belong to others, whatever mark the namespace carries."""
NONE: Mapping[str, str] = MappingProxyType({})
LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class SweepResult:
    removed: Sequence[ObjectRef]
    left: Sequence[Leftover]
    """What did not go, and types that could not be listed (named `*`), of which nothing is known."""


def namespaces_of(client: KubeClient, environment_id: str) -> dict[str, str]:
    """Return the uid by name of the namespaces that carry the environment's mark, terminating ones included."""
    marked = client.list("v1", "Namespace", labels=f"{MARK_ID}={environment_id}")
    return {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in marked}


def inventory(client: KubeClient, environment_id: str, *, namespaces: Mapping[str, str] = NONE) -> list[ObjectRef]:
    """Return all objects marked with the id, and cluster-wide objects of Helm releases in its namespaces.

    `namespaces` are those that carried its mark earlier, uid by name: one that is gone counts, one of the same name
    that somebody created since does not. Raises the first refusal when some type of object could not be listed.
    """
    found, unlisted = _find(client, environment_id, {**namespaces})
    if unlisted:
        raise next(iter(unlisted.values()))
    return sorted(found)


def namesakes(client: KubeClient, environment: str) -> Mapping[str, Sequence[ObjectRef]]:
    """Return the objects marked with the environment's name by the id that they carry, for when its id is not known."""
    found: dict[str, list[ObjectRef]] = {}
    for obj in census(client, labels=f"{MARK_ENVIRONMENT}={environment}").objects:
        found.setdefault(obj["metadata"]["labels"].get(MARK_ID, ""), []).append(ObjectRef.of(obj))
    return {id: sorted(refs) for id, refs in sorted(found.items())}


def release_leftovers(client: KubeClient, namespaces: Collection[str]) -> Mapping[str, Sequence[ObjectRef]]:
    """Return the cluster-wide objects of Helm releases by namespace, for those of the namespaces that are gone."""
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
) -> SweepResult:
    """Remove what `inventory` returns in the order that kinds need, owners before their objects, until it is gone."""

    def waiter() -> Waiter:
        return Waiter(limit_seconds, stop=stop or threading.Event(), on_wait=lambda what, seconds: say(what))

    removed: list[ObjectRef] = []
    known = {**namespaces}
    found, unlisted = _find(client, environment_id, known)
    left: list[Leftover] = []
    while found and not left:
        uids = {ref: obj["metadata"]["uid"] for ref, obj in found.items()}
        roots = [ref for ref, obj in found.items() if not obj["metadata"].get("ownerReferences")]
        left = remove_all(client, roots or list(found), uids, waiter) or await_gone(client, list(found), uids, waiter())
        removed += [ref for ref in found if ref not in {item.ref for item in left}]
        found, unlisted = _find(client, environment_id, known)
    return SweepResult(
        sorted(set(removed)), [*left, *(_unlisted(resource, error) for resource, error in unlisted.items())]
    )


def _find(
    client: KubeClient, environment_id: str, known: dict[str, str]
) -> tuple[dict[ObjectRef, Object], Mapping[ApiResource, KubeError]]:
    """Return what is found and what could not be listed, and add the marked namespaces to `known` for later calls."""
    marked = census(client, labels=f"{MARK_ID}={environment_id}")
    known |= {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in marked.objects if obj["kind"] == "Namespace"}
    ours = set(_still_ours(client, known))
    wide = census(client, cluster_scoped_only=True) if ours else None
    helm = [obj for obj in wide.objects if _release_namespace(obj) in ours] if wide else []
    unlisted = {**marked.unlisted, **(wide.unlisted if wide else {})}
    return {ObjectRef.of(obj): obj for obj in (*marked.objects, *helm)}, unlisted


def _still_ours(client: KubeClient, known: Mapping[str, str]) -> Iterator[str]:
    for name in known.keys() - BUILTIN_NAMESPACES:
        live = client.get(ObjectRef("v1", "Namespace", name))
        if live is None or live["metadata"]["uid"] == known[name]:
            yield name


def _release_namespace(obj: Object) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(RELEASE_NAMESPACE, ""))


def _unlisted(resource: ApiResource, error: KubeError) -> Leftover:
    return Leftover(ObjectRef(resource.api_version, resource.kind, "*"), f"could not be listed: {error.record.message}")
