"""The objects of a cluster at one moment, with the lookups that a diagnosis needs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef


@dataclass(frozen=True)
class Snapshot:
    """What was listed of a cluster. References are by kind, namespace and name; versions do not count."""

    objects: Sequence[Object] = field(repr=False)
    unlisted: frozenset[str] = frozenset()
    """Kinds that the credentials may not list; nothing follows from the absence of their objects."""

    @cached_property
    def _by_ref(self) -> Mapping[tuple[str, str, str], Object]:
        return {(obj["kind"], namespace(obj), name(obj)): obj for obj in self.objects}

    @cached_property
    def _by_owner(self) -> Mapping[str, list[Object]]:
        owned: dict[str, list[Object]] = {}
        for obj in self.objects:
            for owner in obj["metadata"].get("ownerReferences") or ():
                owned.setdefault(owner["uid"], []).append(obj)
        return owned

    @cached_property
    def _events(self) -> Mapping[str, list[Object]]:
        events = [obj for obj in self.objects if obj["kind"] == "Event"]
        by_uid: dict[str, list[Object]] = {}
        for event in sorted(events, key=_last_seen, reverse=True):
            by_uid.setdefault((event.get("involvedObject") or {}).get("uid", ""), []).append(event)
        return by_uid

    def find(self, kind: str, name: str, namespace: str = "") -> Object | None:
        return self._by_ref.get((kind, namespace, name))

    def get(self, ref: ObjectRef) -> Object | None:
        return self.find(ref.kind, ref.name, ref.namespace)

    def all(self, kind: str) -> Iterator[Object]:
        return (obj for obj in self.objects if obj["kind"] == kind)

    def owned(self, owner: Object, kind: str = "") -> list[Object]:
        """Return the objects whose owner reference names `owner`, of one kind or of all."""
        found = self._by_owner.get(owner["metadata"]["uid"], [])
        return [obj for obj in found if not kind or obj["kind"] == kind]

    def events(self, obj: Object) -> list[Object]:
        """Return the events about an object, newest first."""
        return self._events.get(obj["metadata"]["uid"], [])

    def warnings(self, obj: Object, *reasons: str) -> list[Object]:
        """Return the warning events about an object, newest first; with `reasons`, only those."""
        found = [event for event in self.events(obj) if event.get("type") == "Warning"]
        return [event for event in found if not reasons or event.get("reason") in reasons]


def name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def namespace(obj: Object) -> str:
    return str(obj["metadata"].get("namespace") or "")


def labels(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def status(obj: Object) -> Mapping[str, Any]:
    return obj.get("status") or {}


def condition(obj: Object, type: str) -> Mapping[str, Any]:
    """Return the condition of a type; empty when there is none."""
    found = (c for c in status(obj).get("conditions") or () if c.get("type") == type)
    return next(found, {})


def _last_seen(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
