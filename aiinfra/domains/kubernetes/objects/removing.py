"""Delete objects in order and see them gone; what stays is told by name with what holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Conflict
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.objects.ranks import in_delete_order
from aiinfra.waiting import Pending, TimedOut, Waiter

NAMED = 3
"""Objects named in a text about many."""


@dataclass(frozen=True, slots=True)
class Left:
    """An object that is still there, and why."""

    ref: ObjectRef
    why: str

    def __str__(self) -> str:
        return f"{self.ref}: {self.why}"


def remove_all(
    client: KubeClient, refs: Sequence[ObjectRef], uids: Mapping[ObjectRef, str], waiter: Callable[[], Waiter]
) -> list[Left]:
    """Delete rank after rank, each seen gone before the next; returns what did not go within the limit.

    An object whose uid is not the one in `uids` is another one of the same name: it is left alone, and ours is gone.
    """
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="remove") as pool:
        for group in in_delete_order(refs):
            ours = [
                ref
                for ref, sent in zip(group, pool.map(lambda r: _delete(client, r, uids.get(r, "")), group), strict=True)
                if sent
            ]
            if left := await_gone(client, ours, uids, waiter()):
                return left
    return []


def await_gone(
    client: KubeClient, refs: Sequence[ObjectRef], uids: Mapping[ObjectRef, str], waiter: Waiter
) -> list[Left]:
    """Wait until all are gone; what is left at the limit."""
    live: dict[ObjectRef, Object] = {}
    remaining = list(refs)

    def ask() -> bool | Pending:
        found = list(pool.map(client.get, remaining))
        live.clear()
        live.update({r: obj for r, obj in zip(remaining, found, strict=True) if obj and _ours(obj, uids.get(r, ""))})
        remaining[:] = list(live)
        return Pending(f"{some(remaining)} to be gone") if live else True

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="gone") as pool:
        try:
            waiter.until(ask)
        except TimedOut:
            return [Left(ref, why_still_there(obj)) for ref, obj in sorted(live.items(), key=lambda item: item[0])]
    return []


def why_still_there(obj: Object) -> str:
    """What holds up the deletion of an object, read from the object."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        return "it was made again after its deletion, so something still manages it"
    conditions = (obj.get("status") or {}).get("conditions") or ()
    remaining = [c["message"] for c in conditions if c.get("status") == "True" and c["type"] in _NAMESPACE_BLOCKERS]
    if remaining:
        return "; ".join(remaining)
    finalizers = [*metadata.get("finalizers", ()), *obj.get("spec", {}).get("finalizers", ())]
    if finalizers:
        return f"waits for its finalizer {', '.join(finalizers)}, whose controller does not act"
    return "its deletion is under way"


_NAMESPACE_BLOCKERS = (
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
)


def some(refs: Sequence[ObjectRef]) -> str:
    """`Pod a, Pod b, Pod c and 4 more`."""
    named = ", ".join(map(str, refs[:NAMED]))
    return f"{named} and {len(refs) - NAMED} more" if len(refs) > NAMED else named


def _delete(client: KubeClient, ref: ObjectRef, uid: str) -> bool:
    try:
        return client.delete(ref, uid=uid)
    except Conflict:
        return False


def _ours(obj: Object, uid: str) -> bool:
    return not uid or obj["metadata"]["uid"] == uid
