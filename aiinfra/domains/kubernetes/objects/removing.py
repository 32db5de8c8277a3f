"""Delete objects in order and wait until they are gone; report what remains, and what holds it up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Conflict, NotFound
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.objects.ranks import in_delete_order
from aiinfra.waiting import Pending, TimedOut, Waiter

MAX_NAMED = 3
"""Objects that a text about many names at most."""

RETRY_MARK: Final = "aiinfra.dev/deletion-retried"
"""Annotation whose change makes the API server try again to delete a definition."""
RETRY_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Leftover:
    """An object that still exists, and why."""

    ref: ObjectRef
    why: str

    def __str__(self) -> str:
        return f"{self.ref}: {self.why}"


def remove_all(
    client: KubeClient, refs: Sequence[ObjectRef], uids: Mapping[ObjectRef, str], waiter: Callable[[], Waiter]
) -> list[Leftover]:
    """Delete rank after rank, each gone before the next, and return what remained at the limit.

    An object whose uid is not the one in `uids` is another one of the same name: it is kept, and ours counts as gone.
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
) -> list[Leftover]:
    """Wait until all are gone, and return what remains at the limit."""
    live: dict[ObjectRef, Object] = {}
    remaining = list(refs)
    retried: dict[ObjectRef, float] = {}

    def ask() -> bool | Pending:
        found = list(pool.map(client.get, remaining))
        live.clear()
        live.update({r: obj for r, obj in zip(remaining, found, strict=True) if obj and _ours(obj, uids.get(r, ""))})
        remaining[:] = list(live)
        now = time.monotonic()
        for ref in (ref for ref, obj in live.items() if _has_given_up(obj)):
            if now - retried.get(ref, now - RETRY_SECONDS) >= RETRY_SECONDS:
                retried[ref] = now
                _retry_deletion(client, ref)
        return Pending(f"{refs_text(remaining)} to be gone") if live else True

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="gone") as pool:
        try:
            waiter.until(ask)
        except TimedOut:
            return [Leftover(ref, deletion_blocker(obj)) for ref, obj in sorted(live.items(), key=lambda item: item[0])]
    return []


def deletion_blocker(obj: Object) -> str:
    """Return what holds up the deletion of an object, as its own status and metadata show it."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        return "it was made again after its deletion, so something still manages it"
    conditions = (obj.get("status") or {}).get("conditions") or ()
    remaining = [c["message"] for c in conditions if c.get("status") == "True" and c["type"] in _BLOCKERS]
    if remaining:
        return "; ".join(remaining)
    finalizers = [*metadata.get("finalizers", ()), *obj.get("spec", {}).get("finalizers", ())]
    if finalizers:
        return f"waits for its finalizer {', '.join(finalizers)}, whose controller does not act"
    return "its deletion is under way"


def _has_given_up(obj: Object) -> bool:
    """Tell whether the API server failed to remove the custom resources of a definition that is being deleted.

    Its next try can be minutes away: the retry of the finalizer may meet its own stale cache, take the conflict for
    done, and hear nothing more until the resync every five minutes (apiextensions-apiserver 0.36.3,
    pkg/controller/finalizer/crd_finalizer.go, `sync` and `updateCustomResourceDefinition`). Seen as "could not list
    instances: storage is (re)initializing" where a definition is deleted soon after it was made.
    """
    if obj.get("kind") != "CustomResourceDefinition" or not obj["metadata"].get("deletionTimestamp"):
        return False
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Terminating" and c.get("reason") == "InstanceDeletionFailed" for c in conditions)


def _retry_deletion(client: KubeClient, ref: ObjectRef) -> None:
    """Change an annotation: the finalizer acts on any change but one of its own condition."""
    annotation = {RETRY_MARK: f"{time.time():.0f}"}
    try:
        client.patch(ref, {"metadata": {"annotations": annotation}})
    except (NotFound, Conflict):
        return


_BLOCKERS = (
    "Terminating",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
)


def refs_text(refs: Sequence[ObjectRef]) -> str:
    """Return references as text: `Pod a, Pod b, Pod c and 4 more`."""
    named = ", ".join(map(str, refs[:MAX_NAMED]))
    return f"{named} and {len(refs) - MAX_NAMED} more" if len(refs) > MAX_NAMED else named


def _delete(client: KubeClient, ref: ObjectRef, uid: str) -> bool:
    try:
        return client.delete(ref, uid=uid)
    except Conflict:
        return False


def _ours(obj: Object, uid: str) -> bool:
    return not uid or obj["metadata"]["uid"] == uid
