"""The environment lock: one `up`, `destroy` or `refresh` of an environment at a time.

It is a note beside the state that names its holder. A holder on this machine that is provably dead (another boot, or
no such process with that start time) is cleared with a message; one on another machine never is. When the caller is
dead but its engine host still finishes operations, the next run waits for it.

Storage can only create a note where there is none, so a dead holder is replaced under a second note, named after it:
of several runs that find it dead, one creates that note and becomes the holder.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.engine.notes import Notes
from aiinfra.errors import OutsideError
from aiinfra.waiting import Pending, Stopped, TimedOut, Waiter

KEY: Final = "lock.json"
CLAIMS: Final = "lock-after-"
"""The prefix of the notes under which a dead holder is replaced."""
HOST_FINISH_LIMIT: Final = 600.0
"""Seconds to wait for an engine host whose caller died."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, distinguished from a later one with the same pid by its start time in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Return the running process `pid`; None when there is none or it is a zombie."""
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
    pids: str = ""
    """The namespace that the pids belong to: containers of one machine may share its name and its boot."""
    id: str = ""
    """The id of this acquisition of the lock."""

    @classmethod
    def this(cls, command: str, now: datetime) -> Holder:
        me = Process.of(os.getpid())
        return cls(
            host=socket.gethostname(),
            boot=boot_id(),
            pid=os.getpid(),
            started=me.started if me else 0,
            command=command,
            at=now.isoformat(),
            pids=str(Path("/proc/self/ns/pid").readlink()),
            id=secrets.token_hex(8),
        )

    @property
    def caller(self) -> Process:
        return Process(self.pid, self.started)

    @property
    def engine(self) -> Process | None:
        return Process(self.engine_pid, self.engine_started) if self.engine_pid else None

    def as_note(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    def claim(self, number: int) -> str:
        """Return the key of the note under which a run replaces this holder; `number` rises when that run dies too."""
        return f"{CLAIMS}{hashlib.sha256(self.as_note()).hexdigest()[:16]}-{number}.json"


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(slots=True)
class EnvironmentLock:
    """The lock of an environment, held by this process from `take` to `release`."""

    notes: Notes
    holder: Holder
    recovered: bool = False
    """True when a dead holder was replaced: its stack locks and pending operations may remain."""

    @classmethod
    def take(
        cls, notes: Notes, command: str, now: datetime, say: Callable[[str], None], stop: threading.Event
    ) -> EnvironmentLock:
        """Take the lock, clearing a dead local holder.

        Raises `OutsideError` `lock.held` when a running process, or one on another machine, holds it.
        """
        mine, recovered = Holder.this(command, now), False
        while not recovered and not notes.create(KEY, mine.as_note()):
            theirs = read_holder(notes)
            if theirs == mine:
                break  # the storage took it and its answer was lost
            if theirs is None:
                continue
            if _alive(theirs, mine):
                raise _held(theirs)
            _wait_for_engine(theirs, say, stop)
            if recovered := _replace_holder(notes, theirs, mine):
                say(f"cleared the lock of an interrupted run: {theirs.command}, pid {theirs.pid}, since {theirs.at}")
        return cls(notes, mine, recovered)

    def note_engine(self, pid: int) -> None:
        """Record the engine host that works for us, so that a later run can wait for it when we are killed."""
        process = Process.of(pid)
        self.holder = replace(self.holder, engine_pid=pid, engine_started=process.started if process else 0)
        self.notes.put(KEY, self.holder.as_note())

    def release(self) -> None:
        if self.recovered:
            for left in self.notes.list(CLAIMS):
                self.notes.delete(left)
        self.notes.delete(KEY)


def read_holder(notes: Notes, key: str = KEY) -> Holder | None:
    """Return the holder of the lock, None when it is free. Raises `OutsideError` when it is not readable."""
    raw = notes.get(key)
    if raw is None:
        return None
    try:
        return Holder(**json.loads(raw))
    except (ValueError, TypeError) as exc:
        raise OutsideError(
            "the environment's lock is not readable",
            code="lock.unreadable",
            where=key,
            hint=f"make sure that no run is going on, then delete the note {key} beside the state",
        ) from exc


def refuse_held(notes: Notes, now: datetime, hint: str) -> None:
    """Raise `OutsideError` `lock.held` with this hint when a running process, or one elsewhere, holds the lock."""
    theirs = read_holder(notes)
    if theirs is not None and _alive(theirs, Holder.this("", now)):
        raise _held(theirs, hint)


def _alive(theirs: Holder, mine: Holder) -> bool:
    if theirs.host != mine.host or (theirs.boot == mine.boot and theirs.pids not in {"", mine.pids}):
        return True
    return theirs.boot == mine.boot and theirs.caller.alive


def _held(theirs: Holder, hint: str = "") -> OutsideError:
    remote = theirs.host != socket.gethostname()
    default_hint = (
        f"if {theirs.host} is gone for good, delete the note {KEY} beside the state"
        if remote
        else "wait for it, or stop it with Ctrl-C"
    )
    return OutsideError(
        f"another run holds this environment: {theirs.command}, pid {theirs.pid} on {theirs.host}, since {theirs.at}",
        code="lock.held",
        where="environment lock",
        hint=hint or default_hint,
        transient=True,
    )


def _wait_for_engine(theirs: Holder, say: Callable[[str], None], stop: threading.Event) -> None:
    engine = theirs.engine
    if engine is None or not engine.alive or theirs.boot != boot_id():
        return
    say(f"the engine of an interrupted run (pid {engine.pid}) is finishing what it had begun; waiting for it")

    def ask() -> bool | Pending:
        return Pending(f"engine host pid {engine.pid}") if engine.alive else True

    try:
        Waiter(limit=HOST_FINISH_LIMIT, every=0.1, stop=stop).until(ask)
    except (TimedOut, Stopped) as exc:
        raise OutsideError(
            f"the engine host of an interrupted run (pid {engine.pid}) is still working",
            code="lock.engine_busy",
            where="environment lock",
            hint=f"look at what it waits for, or end it with kill {engine.pid}",
            transient=True,
        ) from exc


def _replace_holder(notes: Notes, theirs: Holder, mine: Holder) -> bool:
    """Replace a dead holder by us. Returns False when another run did so first, and its lock is free or held again.

    Raises `OutsideError` `lock.held` when another run is doing so now.
    """
    number = 0
    while not notes.create(theirs.claim(number), mine.as_note()):
        other = read_holder(notes, theirs.claim(number))
        if other is None:
            return False
        if other == mine:
            break
        if _alive(other, mine):
            raise _held(other)
        number += 1
    still_there = read_holder(notes) == theirs
    if still_there:
        notes.put(KEY, mine.as_note())
    for done in range(number + 1):
        notes.delete(theirs.claim(done))
    return still_there
