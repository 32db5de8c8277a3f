"""The state of each gRPC connection of the engine: its provider's configuration and whether it was cancelled.

Several clusters and stacks share one servicer, and a request names no provider, only the connection it came by.
Cancel arrives on an interrupt, and also when an operation ends normally; the engine closes the connection then,
which gRPC does not tell us, so the oldest cancelled ones are dropped when there are many.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.engine.wire import Tree

KEPT_AFTER_CANCEL = 256


@dataclass(frozen=True, slots=True)
class Connection:
    config: Mapping[str, Tree] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)


class Connections:
    """The connections by peer address. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Connection] = {}
        self._cancelled: OrderedDict[str, Connection] = OrderedDict()

    def begin(self, peer: str) -> None:
        """Start a new connection in place of an older one of the same address."""
        with self._lock:
            self._cancelled.pop(peer, None)
            self._open[peer] = Connection()

    def configure(self, peer: str, config: Mapping[str, Tree]) -> None:
        with self._lock:
            old = self._open.get(peer) or Connection()
            self._open[peer] = Connection(config, old.stop)

    def get(self, peer: str) -> Connection:
        with self._lock:
            found = self._open.get(peer) or self._cancelled.get(peer)
            return found or self._open.setdefault(peer, Connection())

    def cancel(self, peer: str) -> None:
        with self._lock:
            if connection := self._open.pop(peer, None):
                connection.stop.set()
                self._cancelled[peer] = connection
            while len(self._cancelled) > KEPT_AFTER_CANCEL:
                self._cancelled.popitem(last=False)

    def cancel_all(self) -> None:
        with self._lock:
            for connection in self._open.values():
                connection.stop.set()
