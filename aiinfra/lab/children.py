"""The processes that a supervisor owns: started, kept running, stopped in order, never left behind.

A child dies with its supervisor (`tether.py`). One that ends by itself after `keep` is started again, a few times.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import field
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.engine.lock import Process
from aiinfra.lab import tether
from aiinfra.lab.record import ChildRecord

RESTARTS: Final = 5
"""How often a child is started again within `RESTART_WINDOW` seconds at most."""
RESTART_WINDOW: Final = 60.0
"""Seconds."""
GRACE: Final = 3.0
"""Seconds between SIGTERM and SIGKILL. A server whose database is gone may ignore SIGTERM."""


def log_file(logs: Path, name: str) -> Path:
    """Return the log file of a child, in the folder of a lab's logs."""
    return logs / f"{name.replace('/', '-')}.log"


class Spawner:
    """Starts processes in the one thread that runs `serve`: a child's death signal is bound to the thread that forked
    it, and only the main thread lives as long as the process."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def serve(self) -> None:
        """Run until `close`."""
        while (job := self._jobs.get()) is not None:
            job()

    def close(self) -> None:
        self._jobs.put(None)

    def start(self, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a process, from any thread but the one that serves. Raises `OSError`."""
        future: Future[subprocess.Popen[bytes]] = Future()

        def job() -> None:
            try:
                future.set_result(self._popen(argv, log))
            except OSError as error:
                future.set_exception(error)

        self._jobs.put(job)
        return future.result()

    def _popen(self, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        bound = [sys.executable, "-I", "-S", str(tether.__file__), str(os.getpid()), *argv]
        with log.open("ab") as out:
            return subprocess.Popen(
                bound, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self._folder, env=self._environ
            )


@dataclass(slots=True)
class Child:
    """One process, and what it takes to start it again."""

    name: str
    argv: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes]
    kept: bool = False
    ended: bool = False
    """Whether it ended by itself and is not started again."""
    stopping: threading.Event = field(default_factory=threading.Event)
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS))

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def record(self) -> ChildRecord:
        live = Process.of(self.process.pid)
        return ChildRecord(self.name, self.process.pid, live.started if live else 0)

    def why_ended(self) -> str:
        """Return how it ended: `dc1/server ended with code 1: unknown flag --x`."""
        return f"{self.name} ended with code {self.process.returncode}: {self.last_words()}"

    def last_words(self) -> str:
        """Return the last line of its log that is not empty."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def may_restart(self) -> bool:
        now = monotonic()
        exhausted = len(self.starts) == RESTARTS and now - self.starts[0] < RESTART_WINDOW
        self.starts.append(now)
        return self.kept and not exhausted and not self.stopping.is_set()


class Children:
    """All children by name. `on_change` is called after each start and each end."""

    def __init__(self, spawner: Spawner, logs: Path, on_change: Callable[[], None]) -> None:
        self._spawner = spawner
        self._logs = logs
        self._on_change = on_change
        self._lock = threading.Lock()
        self._children: dict[str, Child] = {}

    def start(self, name: str, argv: Sequence[str]) -> Child:
        """Start a child. Raises `OSError` when the program cannot be started."""
        log = log_file(self._logs, name)
        child = Child(name, argv, log, self._spawner.start(argv, log))
        with self._lock:
            self._children[name] = child
        threading.Thread(target=self._watch, args=(child,), name=f"watch-{name}", daemon=True).start()
        self._on_change()
        return child

    def keep(self, names: Iterable[str]) -> None:
        """Start these children again from now on when they end."""
        for child in self._named(names):
            child.kept = True

    def stop(self, names: Iterable[str], grace: float = GRACE) -> None:
        """Stop these children, all at once, and forget them; SIGKILL follows after `grace` seconds."""
        children = self._named(names)
        for child in children:
            child.stopping.set()
            child.process.terminate()
        deadline = monotonic() + grace
        for child in children:
            _reap(child.process, max(0.0, deadline - monotonic()))
        with self._lock:
            for child in children:
                self._children.pop(child.name, None)
        self._on_change()

    def names(self) -> list[str]:
        with self._lock:
            return list(self._children)

    def records(self) -> Sequence[ChildRecord]:
        with self._lock:
            return tuple(child.record() for child in self._children.values() if child.running)

    def ended(self, among: Iterable[str] = ()) -> Sequence[Child]:
        """Return the children, or those of these names, that ended by themselves and are not started again."""
        named = frozenset(among)
        with self._lock:
            found = [child for child in self._children.values() if child.ended]
        return [child for child in found if not named or child.name in named]

    def _named(self, names: Iterable[str]) -> list[Child]:
        with self._lock:
            return [self._children[name] for name in names if name in self._children]

    def _watch(self, child: Child) -> None:
        child.process.wait()
        while child.may_restart() and self._restarted(child):
            self._on_change()
            child.process.wait()
        child.ended = not child.stopping.is_set()
        self._on_change()

    def _restarted(self, child: Child) -> bool:
        print(f"{child.why_ended()}; starting it again", flush=True)
        try:
            child.process = self._spawner.start(child.argv, child.log)
        except OSError as error:
            print(f"{child.name} cannot be started: {error}", flush=True)
            return False
        return True


def _reap(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
