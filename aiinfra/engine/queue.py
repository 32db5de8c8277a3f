"""Decide which stacks may run now.

Pure: no threads, no clock, no Pulumi; `run.py` owns all three. Up and down share this queue: only the direction of
the edges differs (`Queue.down`). A stack is claimed once, and ends exactly once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import Enum


class State(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"


class Queue:
    """Stacks and what they need; `needs` must be acyclic and closed, as the planner makes it."""

    def __init__(self, needs: Mapping[str, Collection[str]]) -> None:
        self._needs = {name: frozenset(needed) for name, needed in needs.items()}
        self._state = dict.fromkeys(needs, State.WAITING)

    @classmethod
    def down(cls, needs: Mapping[str, Collection[str]]) -> Queue:
        """The same stacks from the other end: a stack waits for all that need it."""
        return cls({name: [other for other, wants in needs.items() if name in wants] for name in needs})

    def ready(self) -> list[str]:
        """Stacks that may start now, in the order of the plan."""
        return [name for name, state in self._state.items() if state is State.WAITING and not self.waits_for(name)]

    def waits_for(self, name: str) -> list[str]:
        """The stacks that `name` still waits for."""
        return [other for other in self._needs[name] if self._state[other] is not State.DONE]

    def claim(self, name: str) -> None:
        if self._state[name] is not State.WAITING or self.waits_for(name):
            raise ValueError(f"{name} is not ready")
        self._state[name] = State.RUNNING

    def done(self, name: str) -> None:
        self._end(name, State.DONE)

    def fail(self, name: str) -> list[str]:
        """End `name` as failed; return all that can no longer run because of it, nearest first."""
        self._end(name, State.FAILED)
        blocked = list(self._downstream(name))
        for other in blocked:
            self._state[other] = State.BLOCKED
        return blocked

    def drain(self) -> list[str]:
        """Give up all that have not started; return them."""
        left = [name for name, state in self._state.items() if state is State.WAITING]
        for name in left:
            self._state[name] = State.BLOCKED
        return left

    @property
    def running(self) -> list[str]:
        return [name for name, state in self._state.items() if state is State.RUNNING]

    @property
    def finished(self) -> bool:
        return not any(state in (State.WAITING, State.RUNNING) for state in self._state.values())

    def _end(self, name: str, state: State) -> None:
        if self._state[name] is not State.RUNNING:
            raise ValueError(f"{name} is not running")
        self._state[name] = state

    def _downstream(self, name: str) -> Iterator[str]:
        front, seen = [name], {name}
        while front:
            nearest = front.pop(0)
            for other, needs in self._needs.items():
                if nearest in needs and other not in seen and self._state[other] is State.WAITING:
                    seen.add(other)
                    front.append(other)
                    yield other
