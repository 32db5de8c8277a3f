"""Proofs by power-on hold GPUs for a while: whoever reads or needs GPUs of the same cluster meanwhile tries again.

Otherwise the profile that is chosen, and whether a VM starts, would depend on which stack came first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from aiinfra.dataclass import dataclass
from aiinfra.errors import StepError
from aiinfra.waiting import Pending, TimedOut, Waiter

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Disturbed:
    """The result of an attempt that does not count, as clones held GPUs meanwhile."""

    by: Sequence[str]
    """Inventory paths of the clones."""


class Proofs:
    """Thread-safe; one for all stacks that work through one session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        """Cluster by the path of the clone."""
        self._ended: list[tuple[str, str]] = []
        """Clusters and clones that held GPUs, in the order of their end."""

    def now(self) -> int:
        """The current moment, as `rivals` takes it."""
        with self._lock:
            return len(self._ended)

    def begin(self, cluster: str, clone: str) -> int:
        """Note that the clone may hold GPUs from now on, and return the moment."""
        with self._lock:
            self._running[clone] = cluster
            return len(self._ended)

    def give_up(self, clone: str) -> None:
        """Note that the clone was not started."""
        with self._lock:
            self._running.pop(clone, None)

    def end(self, clone: str) -> None:
        """Note that the clone is gone, and its GPUs are free."""
        with self._lock:
            if cluster := self._running.pop(clone, ""):
                self._ended.append((cluster, clone))

    def rivals(self, cluster: str, since: int) -> list[str]:
        """The clones that may hold GPUs of the cluster, or did since that moment."""
        with self._lock:
            running = {clone for clone, where in self._running.items() if where == cluster}
            return sorted(running | {clone for where, clone in self._ended[since:] if where == cluster})

    def still_running(self, clones: Sequence[str]) -> list[str]:
        """Those of the clones that still hold GPUs."""
        with self._lock:
            return [clone for clone in clones if clone in self._running]

    def undisturbed(self, attempt: Callable[[], T | Disturbed], waiter: Callable[[], Waiter]) -> T:
        """The result of the attempt that nobody disturbed. Raises `StepError` when others never end, `Stopped`."""
        while isinstance(result := attempt(), Disturbed):
            self._await_end(result.by, waiter())
        return result

    def _await_end(self, clones: Sequence[str], waiter: Waiter) -> None:
        def ask() -> bool | Pending:
            there = self.still_running(clones)
            return Pending(f"GPUs in use by {', '.join(there)}, the proof of another template") if there else True

        try:
            waiter.until(ask)
        except TimedOut as error:
            message = f"after {waiter.limit:g} s there were still {error.last}"
            raise StepError(message, code="vsphere.capacity", hint="see its tasks in vCenter, and run again") from error
