"""Compare objects that somebody else applied field by field with their spec, and restore them.

The comparison is a server-side dry run, as in `drift.py`, so only fields that the spec names count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Invalid
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.objects.removing import await_gone
from aiinfra.waiting import Waiter

_BOOKKEEPING = frozenset({"metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "status"})
_MAX_LENGTH = 60
"""Characters of a value that is shown at most."""
_ATTEMPTS = 5
"""How often an object is read again that others write at the same time."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One way in which an object is not as it should be."""

    ref: ObjectRef
    text: str

    def __str__(self) -> str:
        return f"{self.ref}{self.text}"


def deviations(client: KubeClient, spec: Sequence[Object]) -> list[Deviation]:
    """Return the deviations in the order of `spec`. What server-side apply cannot express only has to exist."""
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="deviations") as pool:
        return [one for found in pool.map(lambda obj: list(_deviations_of(client, obj)), spec) for one in found]


def restore(client: KubeClient, spec: Sequence[Object], waiter: Waiter) -> list[ObjectRef]:
    """Apply the objects that deviate, by force; waits first for terminating ones to be gone. Raises `KubeError`."""
    deviating = {one.ref for one in deviations(client, spec)}
    terminating = {ref: uid for ref in deviating if (uid := _terminating_uid(client, ref))}
    await_gone(client, list(terminating), terminating, waiter)
    todo = [obj for obj in spec if ObjectRef.of(obj) in deviating]
    for obj in todo:
        client.apply(obj, force=True, validation="Ignore")
    return [ObjectRef.of(obj) for obj in todo]


def _deviations_of(client: KubeClient, spec: Object) -> Iterator[Deviation]:
    ref = ObjectRef.of(spec)
    live = client.get(ref)
    if live is None or live["metadata"].get("deletionTimestamp"):
        yield Deviation(ref, " is gone" if live is None else " is going away")
        return
    try:
        live, intended = _live_and_intended(client, spec, live)
    except Invalid as error:
        if error.status != 500:  # the manifest names one entry of a list twice
            yield Deviation(ref, f" cannot become what its chart says: {error.record.message}")
        return
    for path, now, then in differences("", live, intended):
        yield Deviation(ref, f": {path} {_difference_text(ref, path, now, then)}")


def _live_and_intended(client: KubeClient, spec: Object, live: Object) -> tuple[Object, Object]:
    """Return the object and what an apply would make of it, of one version unless it is written without pause.

    A dry run answers with the version that it started from.
    """
    for _ in range(_ATTEMPTS):
        intended = client.apply(spec, force=True, dry_run=True, validation="Ignore")
        if _version(intended) == _version(live):
            break
        live = client.get(ObjectRef.of(spec)) or live
    return live, intended


def _version(obj: Object) -> str:
    return str(obj["metadata"]["resourceVersion"])


def differences(path: str, live: Any, intended: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield `(path, live, intended)` of the smallest parts that differ; lists of another length differ as a whole."""
    if live == intended or path in _BOOKKEEPING:
        return
    if isinstance(live, Mapping) and isinstance(intended, Mapping):
        for key in sorted({*live, *intended}):
            yield from differences(f"{path}.{key}" if path else key, live.get(key), intended.get(key))
    elif isinstance(live, list) and isinstance(intended, list) and len(live) == len(intended):
        for index, (one, other) in enumerate(zip(live, intended, strict=True)):
            yield from differences(f"{path}[{index}]", one, other)
    else:
        yield path, live, intended


def _difference_text(ref: ObjectRef, path: str, live: Any, intended: Any) -> str:
    """Return `is 0, not 1`, or `differs` for values that may be secret or are long."""
    if live is None:
        return "is gone"
    shown = ref.kind != "Secret" and ".env[" not in path and all(map(_short, (live, intended)))
    return f"is {_display(live)}, not {_display(intended)}" if shown else "differs"


def _short(value: Any) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, str) and len(value) <= _MAX_LENGTH and "\n" not in value
    )


def _display(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def _terminating_uid(client: KubeClient, ref: ObjectRef) -> str:
    """Return the uid of an object that is being deleted; empty when it is not."""
    metadata = (client.get(ref) or {}).get("metadata") or {}
    return str(metadata["uid"]) if metadata.get("deletionTimestamp") else ""
