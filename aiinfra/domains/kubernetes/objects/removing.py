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
from aiinfra.domains.kubernetes.objects.blockers import blocker, refs_text
from aiinfra.domains.kubernetes.objects.ranks import in_delete_order
from aiinfra.waiting import Pending, TimedOut, Waiter

RETRY_MARK: Final = "aiinfra.dev/deletion-retried"
"""Annotation whose change makes the API server try again to delete a definition."""
RETRY_SECONDS: Final = 3.0
SLOW_SECONDS: Final = 10.0
"""Seconds after which a deletion is said to take long, and between two looks at why."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """An object that still exists, and why."""

    ref: ObjectRef
    why: str
    hint: str = ""
    """How to go on; empty when it is to find out why a controller does not act."""

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
    reason = _Reason(client)

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
        return Pending(f"{refs_text(remaining)} to be gone{reason.of(live[remaining[0]])}") if live else True

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="gone") as pool:
        try:
            waiter.until(ask)
        except TimedOut:
            found = {ref: blocker(client, live[ref]) for ref in sorted(live)}
            return [Leftover(ref, one.why, one.hint) for ref, one in found.items()]
    return []


@dataclass(slots=True)
class _Reason:
    """Why an object is not gone yet, asked of the cluster from time to time."""

    client: KubeClient
    _about: ObjectRef | None = None
    _since: float = 0.0
    _text: str = ""

    def of(self, obj: Object) -> str:
        """Return ` (waits for its finalizer …)`; empty as long as the object has not taken long."""
        ref, now = ObjectRef.of(obj), time.monotonic()
        if ref != self._about:
            self._about, self._since, self._text = ref, now, ""
        elif now - self._since >= SLOW_SECONDS:
            self._since, self._text = now, f" ({blocker(self.client, obj).why})"
        return self._text


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


def _delete(client: KubeClient, ref: ObjectRef, uid: str) -> bool:
    try:
        return client.delete(ref, uid=uid)
    except Conflict:
        return False


def _ours(obj: Object, uid: str) -> bool:
    return not uid or obj["metadata"]["uid"] == uid
