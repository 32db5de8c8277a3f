"""Objects that somebody else applied, compared field by field with what they should be, and put back.

The server is asked by a dry run, as in `drift.py`: only fields that the wanted object names count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Invalid
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.objects.removing import await_gone
from aiinfra.waiting import Waiter

_BOOKKEEPING = frozenset({"metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "status"})
_LONGEST = 60
"""Characters of a value that is shown."""
_LOOKS = 5
"""At an object that others write meanwhile."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One way in which an object is not as it should be."""

    ref: ObjectRef
    says: str

    def __str__(self) -> str:
        return f"{self.ref}{self.says}"


def deviations(client: KubeClient, wanted: Sequence[Object]) -> list[Deviation]:
    """In the order of `wanted`. An object that server-side apply cannot express is compared by its presence alone."""
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="deviations") as pool:
        return [one for found in pool.map(lambda obj: list(_of(client, obj)), wanted) for one in found]


def put_back(client: KubeClient, wanted: Sequence[Object], waiter: Waiter) -> list[ObjectRef]:
    """Apply those that deviate, over whoever changed them; what is going is seen gone first. Raises `KubeError`."""
    strayed = {one.ref for one in deviations(client, wanted)}
    going = {ref: uid for ref in strayed if (uid := _going(client, ref))}
    await_gone(client, list(going), going, waiter)
    todo = [obj for obj in wanted if ObjectRef.of(obj) in strayed]
    for obj in todo:
        client.apply(obj, force=True, validation="Ignore")
    return [ObjectRef.of(obj) for obj in todo]


def _of(client: KubeClient, wanted: Object) -> Iterator[Deviation]:
    ref = ObjectRef.of(wanted)
    live = client.get(ref)
    if live is None or live["metadata"].get("deletionTimestamp"):
        yield Deviation(ref, " is gone" if live is None else " is going away")
        return
    try:
        live, intended = _side_by_side(client, wanted, live)
    except Invalid as error:
        if error.status != 500:  # the manifest names one entry of a list twice
            yield Deviation(ref, f" cannot become what its chart says: {error.record.message}")
        return
    for path, now, then in differing("", live, intended):
        yield Deviation(ref, f": {path} {_told(ref, path, now, then)}")


def _side_by_side(client: KubeClient, wanted: Object, live: Object) -> tuple[Object, Object]:
    """The object and what an apply would make of it: of one version, unless it is written without pause.

    A dry run answers with the version that it started from.
    """
    for _ in range(_LOOKS):
        intended = client.apply(wanted, force=True, dry_run=True, validation="Ignore")
        if _version(intended) == _version(live):
            break
        live = client.get(ObjectRef.of(wanted)) or live
    return live, intended


def _version(obj: Object) -> str:
    return str(obj["metadata"]["resourceVersion"])


def differing(path: str, live: Any, intended: Any) -> Iterator[tuple[str, Any, Any]]:
    """`(path, live, intended)` of the smallest parts that differ; lists of another length as a whole."""
    if live == intended or path in _BOOKKEEPING:
        return
    if isinstance(live, Mapping) and isinstance(intended, Mapping):
        for key in sorted({*live, *intended}):
            yield from differing(f"{path}.{key}" if path else key, live.get(key), intended.get(key))
    elif isinstance(live, list) and isinstance(intended, list) and len(live) == len(intended):
        for index, (one, other) in enumerate(zip(live, intended, strict=True)):
            yield from differing(f"{path}[{index}]", one, other)
    else:
        yield path, live, intended


def _told(ref: ObjectRef, path: str, live: Any, intended: Any) -> str:
    """`is 0, not 1`; of what may be secret or is long, only that it differs."""
    if live is None:
        return "is gone"
    shown = ref.kind != "Secret" and ".env[" not in path and all(map(_short, (live, intended)))
    return f"is {_word(live)}, not {_word(intended)}" if shown else "differs"


def _short(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST and "\n" not in value)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def _going(client: KubeClient, ref: ObjectRef) -> str:
    """Its uid when it is being deleted."""
    metadata = (client.get(ref) or {}).get("metadata") or {}
    return str(metadata["uid"]) if metadata.get("deletionTimestamp") else ""
