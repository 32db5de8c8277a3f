"""Everything that an object owns by owner references, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, NotFound
from aiinfra.domains.kubernetes.client.objects import ApiResource, Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS

EXCLUDED_RESOURCES = frozenset({"events", "componentstatuses"})
"""Resource types whose objects come and go by themselves, or are not stored."""


@dataclass(frozen=True, slots=True)
class Census:
    """Metadata of objects, and the types that could not be listed, with the refusal."""

    objects: Sequence[Object]
    unlisted: Mapping[ApiResource, KubeError]


def census(client: KubeClient, *, labels: str = "", cluster_scoped_only: bool = False) -> Census:
    """Return the metadata of all objects of all types that can be listed and deleted."""
    types = [
        resource
        for resource in client.resources(refresh=True)
        if {"list", "delete"} <= resource.verbs and resource.plural not in EXCLUDED_RESOURCES
        if not (cluster_scoped_only and resource.namespaced)
    ]
    objects: list[Object] = []
    unlisted: dict[ApiResource, KubeError] = {}

    def ask(resource: ApiResource) -> None:
        try:
            objects.extend(client.metadata(resource, labels=labels))
        except NotFound:
            return
        except KubeError as error:
            unlisted[resource] = error

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="census") as pool:
        list(pool.map(ask, types))
    return Census(objects, unlisted)


def dependents(client: KubeClient, owners: Iterable[str]) -> dict[ObjectRef, str]:
    """Return the uid by reference of all that these uids own, directly or through others."""
    everything = census(client).objects
    found: dict[ObjectRef, str] = {}
    known = set(owners)
    while (
        more := {ObjectRef.of(o): o["metadata"]["uid"] for o in everything if _owned(o, known)}.items() - found.items()
    ):
        found.update(more)
        known |= {uid for _, uid in more}
    return found


def _owned(obj: Object, owners: set[str]) -> bool:
    return any(owner["uid"] in owners for owner in obj["metadata"].get("ownerReferences", ()))
