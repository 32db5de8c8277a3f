"""The one waiter: block until a fact holds, report what is awaited, stop when asked to.

No other module may sleep or poll. Whoever waits names the objects it waits for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import field
from typing import TypeVar

from aiinfra.dataclass import dataclass

T = TypeVar("T")


class Stopped(Exception):
    """The wait was cancelled."""


class TimedOut(Exception):
    """The limit passed; `last` is the last thing that was awaited."""

    def __init__(self, last: str) -> None:
        super().__init__(last)
        self.last = last


@dataclass(frozen=True, slots=True)
class Pending:
    """The answer while a fact does not hold yet: what is awaited, by name."""

    what: str


@dataclass(slots=True)
class Waiter:
    """Asks a question until its answer is no `Pending`.

    `every`, `limit` and heartbeats are seconds. `stop` ends the wait at once with `Stopped`.
    `on_wait` hears each new `Pending.what`, and the same one again each `heartbeat` seconds.
    """

    limit: float
    every: float = 0.25
    heartbeat: float = 30.0
    stop: threading.Event = field(default_factory=threading.Event)
    on_wait: Callable[[str, float], None] = lambda what, since: None

    def until(self, ask: Callable[[], T | Pending]) -> T:
        """Return the first answer that is not `Pending`. Raises `Stopped`, `TimedOut`."""
        started = reported_at = time.monotonic()
        reported = ""
        while True:
            answer = ask()
            if not isinstance(answer, Pending):
                return answer
            now = time.monotonic()
            if answer.what != reported or now - reported_at >= self.heartbeat:
                reported, reported_at = answer.what, now
                self.on_wait(answer.what, now - started)
            if now - started >= self.limit:
                raise TimedOut(answer.what)
            if self.stop.wait(min(self.every, max(0.0, self.limit - (now - started)))):
                raise Stopped(answer.what)
