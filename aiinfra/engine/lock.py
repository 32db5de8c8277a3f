"""The environment lock: one `up`, `destroy` or `refresh` of an environment at a time.

It is a note beside the state that names its holder. A holder on this machine that is provably dead (another boot, or
no such process with that start time) is cleared with a message; one on another machine never is. When the caller is
dead but its engine host still finishes what ran, the next run waits for it.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from aiinfra.engine.notes import Notes
from aiinfra.errors import OutsideError
from aiinfra.waiting import Pending, Stopped, TimedOut, Waiter

KEY: Final = "lock.json"
HOST_FINISH_LIMIT: Final = 600.0
"""Seconds to wait for an engine host whose caller died."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told apart from a later one with the same pid by its start time in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The living process `pid`; None when there is none (a zombie is none)."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else cls(pid, int(fields[19]))

    @property
    def alive(self) -> bool:
        return Process.of(self.pid) == self


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock."""

    host: str
    boot: str
    pid: int
    started: int
    command: str
    at: str
    """ISO 8601, UTC."""
    engine_pid: int = 0
    engine_started: int = 0

    @classmethod
    def this(cls, command: str, now: datetime) -> Holder:
        me = Process.of(os.getpid())
        return cls(socket.gethostname(), boot_id(), os.getpid(), me.started if me else 0, command, now.isoformat())

    @property
    def caller(self) -> Process:
        return Process(self.pid, self.started)

    @property
    def engine(self) -> Process | None:
        return Process(self.engine_pid, self.engine_started) if self.engine_pid else None


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(slots=True)
class EnvironmentLock:
    """Held by this process from `take` to `release`."""

    notes: Notes
    holder: Holder
    recovered: bool = False
    """True when a dead holder was cleared: its stack locks and pending operations may be left."""

    @classmethod
    def take(
        cls, notes: Notes, command: str, now: datetime, say: Callable[[str], None], stop: threading.Event
    ) -> EnvironmentLock:
        """Take the lock, clearing a dead local holder.

        Raises `OutsideError` `lock.held` when a live or a foreign process holds it.
        """
        mine, recovered = Holder.this(command, now), False
        while not notes.create(KEY, json.dumps(asdict(mine)).encode()):
            theirs = read_holder(notes)
            if theirs is None:
                continue
            if _alive(theirs, mine):
                raise _held(theirs)
            _wait_for_engine(theirs, say, stop)
            _clear(notes, theirs)
            recovered = True
            say(f"cleared the lock of a run that died: {theirs.command}, pid {theirs.pid}, since {theirs.at}")
        return cls(notes, mine, recovered)

    def note_engine(self, pid: int) -> None:
        """Name the engine host that works for us, so that a later run can wait for it when we die."""
        process = Process.of(pid)
        self.holder = replace(self.holder, engine_pid=pid, engine_started=process.started if process else 0)
        self.notes.put(KEY, json.dumps(asdict(self.holder)).encode())

    def release(self) -> None:
        self.notes.delete(KEY)


def read_holder(notes: Notes) -> Holder | None:
    raw = notes.get(KEY)
    if raw is None:
        return None
    try:
        return Holder(**json.loads(raw))
    except (ValueError, TypeError) as exc:
        raise OutsideError(
            "the environment's lock is not readable",
            code="lock.unreadable",
            where=KEY,
            hint=f"make sure that no run is going on, then delete the note {KEY} beside the state",
        ) from exc


def _alive(theirs: Holder, mine: Holder) -> bool:
    if theirs.host != mine.host:
        return True
    return theirs.boot == mine.boot and theirs.caller.alive


def _held(theirs: Holder) -> OutsideError:
    foreign = theirs.host != socket.gethostname()
    way_out = (
        f"if {theirs.host} is gone for good, delete the note {KEY} beside the state"
        if foreign
        else "wait for it, or stop it with Ctrl-C"
    )
    return OutsideError(
        f"another run holds this environment: {theirs.command}, pid {theirs.pid} on {theirs.host}, since {theirs.at}",
        code="lock.held",
        where="environment lock",
        hint=way_out,
        transient=True,
    )


def _wait_for_engine(theirs: Holder, say: Callable[[str], None], stop: threading.Event) -> None:
    engine = theirs.engine
    if engine is None or not engine.alive or theirs.boot != boot_id():
        return
    say(f"the engine of a run that died (pid {engine.pid}) is finishing what it had begun; waiting for it")

    def ask() -> bool | Pending:
        return Pending(f"engine host pid {engine.pid}") if engine.alive else True

    try:
        Waiter(limit=HOST_FINISH_LIMIT, every=0.1, stop=stop).until(ask)
    except (TimedOut, Stopped) as exc:
        raise OutsideError(
            f"the engine host of a run that died (pid {engine.pid}) is still working",
            code="lock.engine_busy",
            where="environment lock",
            hint=f"look at what it waits for, or end it with kill {engine.pid}",
            transient=True,
        ) from exc


def _clear(notes: Notes, theirs: Holder) -> None:
    """Delete the dead holder's note unless another run has taken the lock meanwhile."""
    if read_holder(notes) == theirs:
        notes.delete(KEY)
