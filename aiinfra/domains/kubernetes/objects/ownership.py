"""Who owns an object that exists already, as its marks say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID, MARK_STACK


@dataclass(frozen=True, slots=True)
class OwnedByOther:
    """An object that has the name of one of ours and is not ours."""

    ref: ObjectRef
    owner: str
    """`none of our environments`, or the environment and stack on its marks."""


def with_marks(obj: Mapping[str, Any], marks: Mapping[str, str]) -> Object:
    """Return the object with our marks among its labels; its own labels take precedence."""
    metadata = obj.get("metadata", {})
    labels = {**marks, **(metadata.get("labels") or {})}
    return {**obj, "metadata": {**metadata, "labels": labels}} if labels else dict(obj)


def owned_by_others(spec: Iterable[Object], existing: Mapping[ObjectRef, Object]) -> list[OwnedByOther]:
    """Return the objects of `existing` that have a name of `spec` and other marks than it, or none."""
    found = []
    for obj in spec:
        ref = ObjectRef.of(obj)
        live = existing.get(ref)
        if live is not None and not _same_owner(_marks(obj), _marks(live)):
            found.append(OwnedByOther(ref, _owner(_marks(live))))
    return found


def _same_owner(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return bool(one.get(MARK_ID)) and all(one.get(mark) == other.get(mark) for mark in (MARK_ID, MARK_STACK))


def _marks(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _owner(marks: Mapping[str, str]) -> str:
    if not marks.get(MARK_ID):
        return "none of our environments"
    return f"stack {marks.get(MARK_STACK, '?')} of environment {marks.get(MARK_ENVIRONMENT, '?')} ({marks[MARK_ID]})"
