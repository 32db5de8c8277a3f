"""What each running stack waits for, noted beside the state: `aiinfra why` in another terminal reads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import datetime, timedelta
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.engine.events import Event, OnEvent, ResourceChanged, StackEnded, Waiting
from aiinfra.engine.journal import Journal
from aiinfra.errors import AiinfraError
from aiinfra.ui.masking import Masker
from aiinfra.ui.progress import PAST

NEAR: Final = 2.0
FAR: Final = 20.0
"""Seconds between two notes of one stack, for state on this machine and elsewhere."""


@dataclass(frozen=True, slots=True)
class _Awaited:
    what: str
    since: datetime


@dataclass(slots=True)
class AwaitedNotes:
    """Passes events on, and notes what they say a stack waits for, each change once and not more often than `every`.

    A note that cannot be written is left out: it is for others, and the run goes on.
    """

    journal: Journal
    pass_on: OnEvent
    hidden: Callable[[], Sequence[str]]
    """Returns the secrets that no note may hold."""
    every: float
    _latest: dict[str, _Awaited] = field(default_factory=dict)
    _written: dict[str, _Awaited] = field(default_factory=dict)
    _written_at: dict[str, float] = field(default_factory=dict)
    _timers: dict[str, threading.Timer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        match event:
            case Waiting():
                self._see(event.stack, event.what, event.at - timedelta(seconds=event.seconds))
            case ResourceChanged(state="started"):
                done = PAST.get(event.operation, event.operation)
                self._see(event.stack, f"{event.type.rpartition(':')[2]} {event.name} to be {done}", event.at)
            case StackEnded():
                self._forget(event.result.stack)
        self.pass_on(event)

    def _see(self, stack: str, what: str, since: datetime) -> None:
        """Take what is waited for; a wait that goes on began when it was first seen."""
        with self._lock:
            before = self._latest.get(stack)
            if before is not None and before.what == what:
                return
            self._latest[stack] = _Awaited(what, since)
            if stack not in self._timers:
                quiet = time.monotonic() - self._written_at.get(stack, -self.every)
                timer = threading.Timer(max(0.0, self.every - quiet), self._write, [stack])
                timer.daemon = True
                self._timers[stack] = timer
                timer.start()

    def _write(self, stack: str) -> None:
        with self._lock:
            self._timers.pop(stack, None)
            latest = self._latest.get(stack)
            if latest is None or latest == self._written.get(stack):
                return
            self._written[stack], self._written_at[stack] = latest, time.monotonic()
        with suppress(AiinfraError):
            self.journal.keep_awaited(stack, Masker(self.hidden())(latest.what), latest.since)

    def _forget(self, stack: str) -> None:
        with self._lock:
            self._latest.pop(stack, None)
            if timer := self._timers.pop(stack, None):
                timer.cancel()
            written = self._written.pop(stack, None)
        if written is not None:
            with suppress(AiinfraError):
                self.journal.forget_awaited(stack)
