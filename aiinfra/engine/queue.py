"""The queue that decides which stacks may run now.

Pure: no threads, no clock, no Pulumi; `run.py` owns all three. Up and down share this queue: only the direction of
the edges differs (`Queue.down`). A stack is claimed once, and ends exactly once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping


class Queue:
    """Stacks and what they need; `needs` must be acyclic and closed, as the planner produces it."""

    def __init__(self, needs: Mapping[str, Collection[str]]) -> None:
        self._needs = {name: frozenset(needed) for name, needed in needs.items()}
        self._waiting = dict.fromkeys(needs)
        """In the order of the plan."""
        self._running: set[str] = set()
        self._done: set[str] = set()

    @classmethod
    def down(cls, needs: Mapping[str, Collection[str]]) -> Queue:
        """Return the queue of the reverse order: a stack waits for all that need it."""
        return cls({name: [other for other, wants in needs.items() if name in wants] for name in needs})

    def ready(self) -> list[str]:
        """Return the stacks that may start now, in the order of the plan."""
        return [name for name in self._waiting if self._needs[name] <= self._done]

    def waits_for(self, name: str) -> list[str]:
        """Return the stacks that `name` still waits for."""
        return [other for other in self._needs[name] if other not in self._done]

    def claim(self, name: str) -> None:
        if name not in self._waiting or self.waits_for(name):
            raise ValueError(f"{name} is not ready")
        del self._waiting[name]
        self._running.add(name)

    def done(self, name: str) -> None:
        self._end(name)
        self._done.add(name)

    def fail(self, name: str) -> list[str]:
        """End `name` as failed; return all that can no longer run because of it, nearest first."""
        self._end(name)
        blocked = list(self._downstream(name))
        for other in blocked:
            del self._waiting[other]
        return blocked

    def drain(self) -> list[str]:
        """Remove all stacks that have not started and return them."""
        left = list(self._waiting)
        self._waiting.clear()
        return left

    @property
    def running(self) -> Collection[str]:
        return frozenset(self._running)

    @property
    def finished(self) -> bool:
        return not self._waiting and not self._running

    def _end(self, name: str) -> None:
        if name not in self._running:
            raise ValueError(f"{name} is not running")
        self._running.remove(name)

    def _downstream(self, name: str) -> Iterator[str]:
        front, seen = [name], {name}
        while front:
            nearest = front.pop(0)
            for other, needs in self._needs.items():
                if nearest in needs and other not in seen and other in self._waiting:
                    seen.add(other)
                    front.append(other)
                    yield other
