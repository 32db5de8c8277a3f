"""What a lab's supervisor gives to the servers of its domains: children of their own, and a count of open changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType

from aiinfra.lab.children import Children


class DomainChildren:
    """The `LabServerContext` of one domain: it sees the children that it started, and no others."""

    def __init__(self, folder: Path, children: Children, on_change: Callable[[], None]) -> None:
        self._folder = folder
        self._children = children
        self._on_change = on_change
        self._own: set[str] = set()

    @property
    def folder(self) -> Path:
        return self._folder

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a child of this domain. Raises `OSError`, which the supervisor reports as an unusable folder."""
        self._children.start(name, argv)
        self._own.add(name)

    def keep(self, names: Collection[str]) -> None:
        self._children.keep(names)

    def stop(self, names: Sequence[str]) -> None:
        self._children.stop(names)
        self._own.difference_update(names)

    def running(self) -> Collection[str]:
        return [name for name in self._children.names() if name in self._own]

    def why_ended(self, names: Sequence[str]) -> str:
        return next((child.why_ended() for child in self._children.ended(names)), "")

    def changed(self) -> None:
        self._on_change()


class Changes:
    """Counts the changes of a lab that are under way; each is a `with` block."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._open = 0

    def __enter__(self) -> None:
        with self._condition:
            self._open += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._condition:
            self._open -= 1
            self._condition.notify_all()

    def wait_for_none(self, seconds: float) -> None:
        """Return once no change is under way, or when the time is over."""
        with self._condition:
            self._condition.wait_for(lambda: not self._open, seconds)
