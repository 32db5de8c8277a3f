"""Who watches a run: a live table, plain lines, a stream of JSON. Each hears every event and draws from the fold.

A view is entered before the run and left after it; it may be called from several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from aiinfra.engine.events import Event, RunEnded, Waiting
from aiinfra.ui.ndjson import event_json
from aiinfra.ui.output import Output
from aiinfra.ui.plain import lines
from aiinfra.ui.progress import Phase, Progress, advance, heartbeats
from aiinfra.ui.terminal import Terminal
from aiinfra.waiting import Pending, Stopped, Waiter

SILENCE = 30.0
"""Seconds without an event after which a running stack is shown again."""


class Display(Protocol):
    """How a run is shown."""

    every: float
    """Seconds between two `tick`s."""

    def show(self, event: Event, progress: Progress) -> None:
        """Show an event, given the run after it."""

    def tick(self, progress: Progress) -> None:
        """Some time passed."""

    def close(self, progress: Progress) -> None:
        """The run is over, or has failed before its end."""


class View:
    """The fold, the lock and the heartbeat around a `Display`."""

    def __init__(self, sight: Display, now: Callable[[], datetime], silence: float = SILENCE) -> None:
        self.progress = Progress()
        self._sight, self._now, self._silence = sight, now, silence
        self._simulated: tuple[str, ...] = ()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __call__(self, event: Event) -> None:
        with self._lock:
            if self._is_late_wait(event):
                return
            self.progress = advance(self.progress, event)
            self._sight.show(self._without_repetition(event), self.progress)

    def _is_late_wait(self, event: Event) -> bool:
        """Whether the event is a wait that a provider reported after its stack had ended."""
        return isinstance(event, Waiting) and self.progress.of(event.stack).phase is Phase.ENDED

    def _without_repetition(self, event: Event) -> Event:
        """Return the event; of several runs in one command (a rehearsal) only the first lists what is simulated."""
        if not isinstance(event, RunEnded):
            return event
        report = event.report
        known, self._simulated = self._simulated, tuple(report.simulated)
        return replace(event, report=replace(report, simulated=())) if known == self._simulated else event

    def __enter__(self) -> Self:
        self._pulse.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pulse.join()
        with self._lock:
            self._sight.close(self.progress)

    def _beat(self) -> None:
        waiter = Waiter(limit=float("inf"), every=self._sight.every, heartbeat=float("inf"), stop=self._stop)
        try:
            waiter.until(self._pass)
        except Stopped:
            return

    def _pass(self) -> Pending:
        with self._lock:
            for beat in list(heartbeats(self.progress, self._now(), self._silence)):
                self(beat)
            self._sight.tick(self.progress)
        return Pending("the end of the run")


class PlainDisplay:
    """Plain lines. With `report` false the end of the run is left to another sink."""

    every = 5.0

    def __init__(self, out: Output, terminal: Terminal, *, report: bool = True) -> None:
        self._out, self._terminal, self._report = out, terminal, report

    def show(self, event: Event, progress: Progress) -> None:
        if self._report or not isinstance(event, RunEnded):
            for line in lines(event, progress, self._terminal):
                self._out.line(line)

    def tick(self, progress: Progress) -> None: ...

    def close(self, progress: Progress) -> None: ...


class StreamDisplay:
    """`--events ndjson`."""

    every = 5.0

    def __init__(self, out: Output) -> None:
        self._out = out

    def show(self, event: Event, progress: Progress) -> None:
        self._out.json(event_json(event))

    def tick(self, progress: Progress) -> None: ...

    def close(self, progress: Progress) -> None: ...
