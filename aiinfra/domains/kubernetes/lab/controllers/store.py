"""The objects of one cluster as its watches see them, and a signal that something changed. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from aiinfra.domains.kubernetes.lab.controllers.view import BUILT_IN, Object, View, name, namespace

Key = tuple[str, str]


def _version(obj: Object) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)


class Store:
    """The result of a write counts at once; an older version that a watch delivers later does not undo it."""

    def __init__(self, watched: Mapping[str, str]) -> None:
        """`watched`: the kinds that are watched, with their API versions."""
        self._watched = watched
        self.changed = threading.Event()
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[Key, Object]] = {}
        self._gone: dict[str, int] = {}
        self._custom_gone: set[str] = set()
        self._listed: set[str] = set()

    def put(self, obj: Object) -> None:
        key = (namespace(obj), name(obj))
        with self._lock:
            objects = self._kinds.setdefault(obj["kind"], {})
            known = objects.get(key)
            if known is not None and _version(known) >= _version(obj):
                return
            if self._gone.get(obj["metadata"]["uid"], 0) >= _version(obj):
                return
            objects[key] = obj
        self.changed.set()

    def drop(self, obj: Object) -> None:
        key = (namespace(obj), name(obj))
        with self._lock:
            objects = self._kinds.setdefault(obj["kind"], {})
            known = objects.get(key)
            if known is not None and known["metadata"]["uid"] == obj["metadata"]["uid"]:
                del objects[key]
            self._gone[obj["metadata"]["uid"]] = _version(obj)
            if obj["kind"] not in BUILT_IN:
                self._custom_gone.add(obj["metadata"]["uid"])
        self.changed.set()

    def replace(self, kind: str, objects: Iterable[Object]) -> None:
        """Replace all objects of a kind by those of a fresh list; what is not in it was deleted."""
        listed = {(namespace(obj), name(obj)): obj for obj in objects}
        with self._lock:
            known = self._kinds.get(kind, {})
            newer = {key: obj for key, obj in known.items() if key in listed and _version(obj) > _version(listed[key])}
            self._kinds[kind] = listed | newer
            self._listed.add(kind)
        self.changed.set()

    def clear(self, kind: str) -> None:
        """Forget all objects of a kind that is no longer served."""
        with self._lock:
            self._kinds.pop(kind, None)
            self._listed.discard(kind)
        self.changed.set()

    def view(self) -> View:
        with self._lock:
            by_kind = {kind: tuple(objects.values()) for kind, objects in self._kinds.items()}
            return View(by_kind, frozenset(self._custom_gone), frozenset(self._listed), self._watched)
