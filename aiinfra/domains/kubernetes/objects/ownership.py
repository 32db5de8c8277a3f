"""Whose is an object that exists already? Told by the marks that the creating call puts on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID, MARK_STACK


@dataclass(frozen=True, slots=True)
class Foreign:
    """An object that stands where ours should go and is not ours."""

    ref: ObjectRef
    owner: str
    """`nobody of ours`, or the environment and stack on its marks."""


def marked(obj: Mapping[str, Any], marks: Mapping[str, str]) -> Object:
    """The object with our marks among its labels; labels of its own win."""
    metadata = obj.get("metadata", {})
    labels = {**marks, **(metadata.get("labels") or {})}
    return {**obj, "metadata": {**metadata, "labels": labels}} if labels else dict(obj)


def foreign(wanted: Iterable[Object], existing: Mapping[ObjectRef, Object]) -> list[Foreign]:
    """Those of `existing` (by metadata) that are not ours; objects wanted without marks claim whatever is there."""
    found = []
    for obj in wanted:
        ref = ObjectRef.of(obj)
        marks, there = _marks(obj), existing.get(ref)
        if there is not None and marks.get(MARK_ID) and not _same_owner(marks, _marks(there)):
            found.append(Foreign(ref, _owner(_marks(there))))
    return found


def _same_owner(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one.get(mark) == other.get(mark) for mark in (MARK_ID, MARK_STACK))


def _marks(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _owner(marks: Mapping[str, str]) -> str:
    if not marks.get(MARK_ID):
        return "none of our environments"
    return f"stack {marks.get(MARK_STACK, '?')} of environment {marks.get(MARK_ENVIRONMENT, '?')} ({marks[MARK_ID]})"
