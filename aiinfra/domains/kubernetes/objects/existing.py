"""Which objects of a spec exist already: one list of metadata for each kind and namespace."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ApiResource, Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS


def existing(client: KubeClient, spec: Sequence[Object]) -> dict[ObjectRef, Object]:
    """Return the metadata of the objects that exist; kinds that the server does not serve have none."""
    refs = {ObjectRef.of(obj) for obj in spec}
    if len(refs) <= CONNECTIONS:
        return _one_by_one(client, refs)
    places = {(ref.api_version, ref.kind, ref.namespace) for ref in refs}
    lists = [(client.resource(v, k), ns) for v, k, ns in sorted(places) if client.serves(v, k)]
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="existing") as pool:
        found = pool.map(lambda place: _list(client, *place), lists)
        return {ref: obj for objects in found for ref, obj in objects.items() if ref in refs}


def _one_by_one(client: KubeClient, refs: set[ObjectRef]) -> dict[ObjectRef, Object]:
    return {ref: obj for ref in refs if (obj := client.get(ref)) is not None}


def _list(client: KubeClient, resource: ApiResource, namespace: str) -> dict[ObjectRef, Object]:
    return {ObjectRef.of(obj): obj for obj in client.metadata(resource, namespace)}
