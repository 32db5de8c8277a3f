"""Ctrl-C, SIGTERM and the end of the terminal: once means finish what runs and save, twice means stop now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | signal.Handlers


def stops() -> list[signal.Signals]:
    """The signals that ask us to stop. One that the caller had us ignore, as nohup does with SIGHUP, is none."""
    asked = [signal.SIGINT, signal.SIGTERM]
    return asked if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [*asked, signal.SIGHUP]


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    """Inside, each of them goes to `handler`; outside the main thread signals stay as they are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in stops()}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def raised() -> AbstractContextManager[None]:
    """While inside, each of them is a `KeyboardInterrupt`: for the time in which no step runs."""
    return _handled(signal.default_int_handler)


def put_off() -> AbstractContextManager[None]:
    """While inside, none of them is heard: for clearing away, which ends by itself and is owed to whoever stops us."""
    return _handled(signal.SIG_IGN)


@dataclass(slots=True)
class Interrupts:
    """Counts the user's wishes to stop, and passes each on."""

    stop: threading.Event = field(default_factory=threading.Event)
    count: int = 0

    def heard(self, pass_on: Callable[[], None]) -> AbstractContextManager[None]:
        """While inside, a signal sets `stop` and calls `pass_on`; outside the main thread signals stay as they are."""

        def handler(number: int, frame: FrameType | None) -> None:
            self.count += 1
            self.stop.set()
            # A handler may not take locks that the interrupted code holds.
            threading.Thread(target=pass_on, name="stop", daemon=True).start()

        return _handled(handler)
