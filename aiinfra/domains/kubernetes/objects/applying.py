"""Apply many objects: rank after rank, eight at a time, by server-side apply."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, Unreachable
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.objects.ranks import CRD, in_apply_order
from aiinfra.waiting import Pending, Stopped, TimedOut, Waiter


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that the API server refused, with its error."""

    ref: ObjectRef
    error: KubeError


@dataclass(slots=True)
class ApplyResult:
    """What was applied, by uid, and what was refused."""

    uids: dict[ObjectRef, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    stopped: Stopped | None = None

    @property
    def complete(self) -> bool:
        return not self.refusals and self.stopped is None


def apply_all(
    client: KubeClient,
    objects: Sequence[Object],
    *,
    owned: Collection[ObjectRef],
    waiter: Callable[[], Waiter],
) -> ApplyResult:
    """Apply all objects; after a refusal, the rest of its rank is still applied and later ranks are not.

    `owned` are objects known to be ours: their fields are taken back from other managers. Transient refusals (a webhook
    that cannot be called, a kind that is not served yet) are retried until `waiter`'s limit.
    """
    done = ApplyResult()
    unreachable = threading.Event()

    def one(obj: Object) -> None:
        ref = ObjectRef.of(obj)
        try:
            if not unreachable.is_set():
                done.uids[ref] = _apply(client, obj, waiter(), force=ref in owned)
        except KubeError as error:
            done.refusals.append(Refusal(ref, error))
            if isinstance(error, Unreachable):
                unreachable.set()
        except Stopped as stopped:
            done.stopped = stopped

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="apply") as pool:
        for group in in_apply_order(objects):
            list(pool.map(one, group))
            if not done.complete:
                break
            if group[0]["kind"] == CRD:
                list(pool.map(lambda obj: _await_established(client, obj, done, waiter()), group))
    done.refusals.sort(key=lambda refusal: refusal.ref)
    return done


def _apply(client: KubeClient, obj: Object, waiter: Waiter, *, force: bool) -> str:
    """Apply one object and return its uid."""
    last: list[KubeError] = []

    def ask() -> str | Pending:
        try:
            return str(client.apply(obj, force=force)["metadata"]["uid"])
        except KubeError as error:
            if not error.record.transient:
                raise
            last[:] = [error]
            return Pending(f"an answer: {error.record.message}")

    try:
        return waiter.until(ask)
    except TimedOut as timeout:
        raise last[0] from timeout


def _await_established(client: KubeClient, obj: Object, done: ApplyResult, waiter: Waiter) -> None:
    ref = ObjectRef.of(obj)
    try:
        waiter.until(lambda: _established(client, ref, obj))
    except TimedOut as timeout:
        error = KubeError(f"{ref} was not established in time", where=str(ref), code="kube.no_such_kind")
        error.__cause__ = timeout
        done.refusals.append(Refusal(ref, error))
    except Stopped as stopped:
        done.stopped = stopped


def _established(client: KubeClient, ref: ObjectRef, obj: Object) -> bool | Pending:
    live = client.get(ref) or {}
    conditions = {c["type"]: c["status"] for c in (live.get("status") or {}).get("conditions") or ()}
    if conditions.get("Established") != "True":
        return Pending(f"{ref} to be established")
    spec = obj["spec"]
    served = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version["served"]]
    missing = [version for version in served if not client.serves(version, spec["names"]["kind"])]
    return Pending(f"{ref} to be served as {missing[0]}") if missing else True
