"""Ctrl-C, SIGTERM and the end of the terminal: once means finish what runs and save, twice means stop now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType


def stops() -> list[signal.Signals]:
    """The signals that ask us to stop. One that the caller had us ignore, as nohup does with SIGHUP, is none."""
    asked = [signal.SIGINT, signal.SIGTERM]
    return asked if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [*asked, signal.SIGHUP]


@contextmanager
def raised() -> Iterator[None]:
    """While inside, each of them is a `KeyboardInterrupt`: for the time in which no step runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in stops()}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def put_off() -> Iterator[None]:
    """While inside, none of them is heard: for clearing away, which ends by itself and is owed to whoever stops us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in stops()}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@dataclass(slots=True)
class Interrupts:
    """Counts the user's wishes to stop, and passes each on."""

    stop: threading.Event = field(default_factory=threading.Event)
    count: int = 0

    @contextmanager
    def heard(self, pass_on: Callable[[], None]) -> Iterator[None]:
        """While inside, a signal sets `stop` and calls `pass_on`; outside the main thread signals stay as they are."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def handler(number: int, frame: FrameType | None) -> None:
            self.count += 1
            self.stop.set()
            # A handler may not take locks that the interrupted code holds.
            threading.Thread(target=pass_on, name="stop", daemon=True).start()

        before = {number: signal.signal(number, handler) for number in stops()}
        try:
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, old)
