"""Labels and annotations that an uninstalled operator left on nodes: found by the owner of the fields, and removed.

A node outlives what labelled it, and a label does not show who set it. `metadata.managedFields` does: it names the
manager of each field, which defaults to the client's program name (kubernetes/apiserver pkg/endpoints/handlers
managerOrUserAgent).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Refused
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.needs import NodeLeftovers
from aiinfra.waiting import Pending, TimedOut, Waiter

FIELDS: Final = ("labels", "annotations")
FieldNames = Mapping[str, Sequence[str]]
"""Names of labels or annotations, by `labels` and `annotations`."""


@dataclass(frozen=True, slots=True)
class NodeCleanup:
    """What a removal of leftovers came to."""

    removed: int
    """How many labels and annotations were removed from nodes."""
    remaining: Sequence[str]
    """Names of labels and annotations still on some node: others set them, or their operator is still installed."""


def remove_node_leftovers(client: KubeClient, leftovers: Sequence[NodeLeftovers], waiter: Waiter) -> NodeCleanup:
    """Remove the fields that operators which are no longer installed set on nodes. Raises `Stopped` and `KubeError`."""
    idle = [leftover for leftover in leftovers if not _operator_installed(client, leftover)]
    removed: set[tuple[str, str]] = set()

    def ask() -> bool | Pending:
        left = {
            node["metadata"]["name"]: found
            for node in _nodes(client)
            if any((found := owned_fields(node, idle)).values())
        }
        for name, found in left.items():
            client.patch(ObjectRef("v1", "Node", name), {"metadata": {f: dict.fromkeys(found[f]) for f in FIELDS}})
            removed.update((name, key) for keys in found.values() for key in keys)
        return Pending(f"labels of {', '.join(left)} to be gone") if left else True

    try:
        waiter.until(ask)
    except (TimedOut, Refused):
        removed.clear()
    return NodeCleanup(
        len(removed), sorted({key for node in _nodes(client) for key in _matching_fields(node, leftovers)})
    )


def owned_fields(node: Object, leftovers: Sequence[NodeLeftovers]) -> FieldNames:
    """Return the fields of the node that the operators of these leftovers set."""
    return {
        field: sorted({key for leftover in leftovers for key in _fields_set_by(node, field, leftover)})
        for field in FIELDS
    }


def _fields_set_by(node: Object, field: str, leftover: NodeLeftovers) -> Iterator[str]:
    for entry in node["metadata"].get("managedFields") or ():
        if entry.get("manager") in leftover.managers:
            fields: Mapping[str, Any] = entry.get("fieldsV1", {}).get("f:metadata", {}).get(f"f:{field}", {})
            yield from (key[2:] for key in fields if key.startswith("f:") and key[2:].startswith(leftover.prefixes))


def _matching_fields(node: Object, leftovers: Sequence[NodeLeftovers]) -> Iterator[str]:
    prefixes = tuple(prefix for leftover in leftovers for prefix in leftover.prefixes)
    for field in FIELDS:
        yield from (key for key in node["metadata"].get(field) or () if key.startswith(prefixes))


def _nodes(client: KubeClient) -> Sequence[Object]:
    return client.metadata(client.resource("v1", "Node"))


def _operator_installed(client: KubeClient, leftover: NodeLeftovers) -> bool:
    ref = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", leftover.definition)
    return client.get(ref) is not None
