"""Ctrl-C, SIGTERM and the end of the terminal: once means finish what runs and save, twice means stop now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import field
from types import FrameType

from aiinfra.dataclass import dataclass

Handler = Callable[[int, FrameType | None], object] | signal.Handlers


def stop_signals() -> list[signal.Signals]:
    """Return the signals that ask us to stop, without SIGHUP when the caller had it ignored, as nohup does."""
    asked = [signal.SIGINT, signal.SIGTERM]
    return asked if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [*asked, signal.SIGHUP]


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    """Handle stop signals with `handler` inside the block; outside the main thread signals stay as they are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in stop_signals()}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def signals_raised() -> AbstractContextManager[None]:
    """Turn stop signals into `KeyboardInterrupt` inside the block, for the time in which no step runs."""
    return _handled(signal.default_int_handler)


def signals_ignored() -> AbstractContextManager[None]:
    """Ignore stop signals inside the block, for a cleanup that is short and must not be cut off."""
    return _handled(signal.SIG_IGN)


@dataclass(slots=True)
class Interrupts:
    """Counts the user's requests to stop, and passes each on."""

    stop: threading.Event = field(default_factory=threading.Event)
    count: int = 0

    def handled(self, pass_on: Callable[[], None]) -> AbstractContextManager[None]:
        """Set `stop` and call `pass_on` for each stop signal inside the block; only in the main thread."""

        def handler(number: int, frame: FrameType | None) -> None:
            self.count += 1
            self.stop.set()
            # A handler may not take locks that the interrupted code holds.
            threading.Thread(target=pass_on, name="stop", daemon=True).start()

        return _handled(handler)
