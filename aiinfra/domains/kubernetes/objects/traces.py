"""What an operator wrote on nodes and left there when it went: found by who owns the fields, taken off.

A node outlives what labelled it, and no label tells who set it. The API server does: `metadata.managedFields` names the
manager of each field, for a client that gives no name its program's (kubernetes/apiserver pkg/endpoints/handlers
managerOrUserAgent).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Refused
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.needs import NodeLeftovers
from aiinfra.waiting import Pending, TimedOut, Waiter

FIELDS: Final = ("labels", "annotations")
Found = Mapping[str, Sequence[str]]
"""Names of labels or annotations, by `labels` and `annotations`."""


@dataclass(frozen=True, slots=True)
class Cleared:
    taken: int
    """Labels and annotations taken off nodes."""
    stay: Sequence[str]
    """Names of labels and annotations that are still on some node: others set them, or their writer still works."""


def clear(client: KubeClient, traces: Sequence[NodeLeftovers], waiter: Waiter) -> Cleared:
    """Take off what can be proved to be a trace of operators that work here no more. Raises `Stopped`, `KubeError`."""
    idle = [trace for trace in traces if not _works(client, trace)]
    taken: set[tuple[str, str]] = set()

    def ask() -> bool | Pending:
        left = {
            node["metadata"]["name"]: found for node in _nodes(client) if any((found := owned(node, idle)).values())
        }
        for name, found in left.items():
            client.patch(ObjectRef("v1", "Node", name), {"metadata": {f: dict.fromkeys(found[f]) for f in FIELDS}})
            taken.update((name, key) for keys in found.values() for key in keys)
        return Pending(f"labels of {', '.join(left)} to be gone") if left else True

    try:
        waiter.until(ask)
    except (TimedOut, Refused):
        taken.clear()
    return Cleared(len(taken), sorted({key for node in _nodes(client) for key in _named(node, traces)}))


def owned(node: Object, traces: Sequence[NodeLeftovers]) -> Found:
    """What the operators of these traces set on the node."""
    return {field: sorted({key for trace in traces for key in _set_by(node, field, trace)}) for field in FIELDS}


def _set_by(node: Object, field: str, trace: NodeLeftovers) -> Iterator[str]:
    for entry in node["metadata"].get("managedFields") or ():
        if entry.get("manager") in trace.managers:
            fields: Mapping[str, Any] = entry.get("fieldsV1", {}).get("f:metadata", {}).get(f"f:{field}", {})
            yield from (key[2:] for key in fields if key.startswith("f:") and key[2:].startswith(trace.prefixes))


def _named(node: Object, traces: Sequence[NodeLeftovers]) -> Iterator[str]:
    prefixes = tuple(prefix for trace in traces for prefix in trace.prefixes)
    for field in FIELDS:
        yield from (key for key in node["metadata"].get(field) or () if key.startswith(prefixes))


def _nodes(client: KubeClient) -> Sequence[Object]:
    return client.metadata(client.resource("v1", "Node"))


def _works(client: KubeClient, trace: NodeLeftovers) -> bool:
    ref = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", trace.definition)
    return client.get(ref) is not None
