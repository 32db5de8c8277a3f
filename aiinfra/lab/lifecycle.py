"""Start a supervisor, end a lab's processes, remove what remains of a dead one; one run at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from aiinfra.disk import refused, usable, why_unusable
from aiinfra.engine.lock import Process
from aiinfra.errors import OutsideError
from aiinfra.lab import control
from aiinfra.lab.domains import lab_domains
from aiinfra.lab.record import RECORD, LabRecord, write_atomic
from aiinfra.waiting import Pending, TimedOut, Waiter

NEEDED_BYTES: Final = 256 << 20
"""Free space that a lab's folder needs: databases in it may make log files of 64 MiB, and one ahead."""
SUPERVISOR: Final = "aiinfra.lab.supervisor"
START_LIMIT: Final = 60.0
"""Seconds until a new supervisor must have written its record; it takes half a second."""
END_LIMIT: Final = 10.0
"""Seconds in which a supervisor must end after it was asked to."""
KILL_LIMIT: Final = 10.0
"""Seconds in which processes must be gone after SIGKILL."""
REMOVE_LIMIT: Final = 10.0
"""Seconds in which others, such as an engine host that saves its state, must stop writing to a lab's folder."""

OnProgress = Callable[[str], None]


def discard_dead(folder: Path, on_progress: OnProgress) -> str:
    """Empty the folder of a dead lab; return what was discarded, as a sentence. Raises `OutsideError` `lab.foreign`."""
    record = LabRecord.read(folder)
    if record is not None and record.ending and record.alive:
        end([record.supervisor], END_LIMIT)
    if record is None or record.alive:
        return ""
    refuse_other_machine(folder, record)
    end([child.process for child in record.survivors()], patience=0)
    empty(folder)
    text = f"discarded the dead lab of {record.since} with its state{_parts(record)}: {record.death()}"
    on_progress(text)
    return text


def _parts(record: LabRecord) -> str:
    """Return ` (hosts: a, b; network)` by the keys of the domains; empty when the lab has none."""
    known = lab_domains()
    keys = {domain: known[domain].key if domain in known else domain for domain in record.domains}
    texts = [
        keys[domain] if list(parts) == [keys[domain]] else f"{keys[domain]}: {', '.join(sorted(parts)) or 'none'}"
        for domain, parts in record.domains.items()
    ]
    return f" ({'; '.join(texts)})" if texts else ""


def clear(folder: Path) -> None:
    """Empty a folder without a record: its supervisor may still live for a moment, and nothing else knows its lab."""
    with suppress(OutsideError):
        control.ask(folder, {"verb": "stop"}, lambda text: None)
    empty(folder)


def refuse_other_machine(folder: Path, record: LabRecord) -> None:
    """Raise `OutsideError` for a lab of another machine: whether it lives cannot be seen from here."""
    if record.on_other_machine:
        raise OutsideError(
            f"the lab in {folder} belongs to another machine, {record.host}",
            code="lab.foreign",
            where="lab",
            hint=f"stop it there; if {record.host} is gone for good, delete the folder",
        )


def end(processes: Sequence[Process], patience: float) -> None:
    """Wait for the end of processes, with SIGKILL after `patience` seconds. Raises `OutsideError` `lab.not_stopped`."""
    with suppress(TimedOut):
        return _wait_gone(processes, patience)
    for process in processes:
        if process.alive:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
    try:
        _wait_gone(processes, KILL_LIMIT)
    except TimedOut as error:
        message = f"processes of the lab do not end, not even by SIGKILL: {error.last}"
        raise OutsideError(message, code="lab.not_stopped", where="lab") from error


def _wait_gone(processes: Sequence[Process], limit: float) -> None:
    def ask() -> bool | Pending:
        left = [process.pid for process in processes if process.alive]
        return Pending(f"pid {', '.join(map(str, left))}") if left else True

    Waiter(limit, every=0.02).until(ask)


def empty(folder: Path) -> None:
    """Delete all that is in the folder, the record last: an interrupted removal is resumed by the next run."""

    def ask() -> bool | Pending:
        try:
            for entry in sorted(folder.iterdir(), key=lambda entry: entry.name == RECORD):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        except OSError as error:
            return Pending(f"{error.filename}: {error.strerror}")
        return True

    try:
        Waiter(REMOVE_LIMIT, every=0.1).until(ask)
    except TimedOut as error:
        message = f"the lab's folder cannot be removed: {error.last}"
        raise OutsideError(message, code="lab.not_removed", where=str(folder)) from error


def remove(folder: Path) -> None:
    """Delete the folder with all that is in it."""
    empty(folder)
    with usable("the lab's folder", folder):
        folder.rmdir()


@contextmanager
def alone(folder: Path, on_progress: OnProgress) -> Iterator[None]:
    """Hold the lock for starting or stopping this lab. It is on the folder itself and leaves no file."""
    handle = _lock(folder, on_progress)
    try:
        yield
    finally:
        os.close(handle)


def _lock(folder: Path, on_progress: OnProgress) -> int:
    while True:
        with usable("the lab's folder", folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_progress("lab: another run is starting or stopping it; waiting")
            fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), folder.stat()):
                folder.chmod(0o700)
                return handle
        os.close(handle)


def start(folder: Path) -> None:
    """Start a supervisor that outlives us, in its own session, and wait for its record.

    Raises `OutsideError`; nothing is left in the folder when that cannot be written.
    """
    try:
        if why := why_unusable(folder, NEEDED_BYTES):
            raise refused("the lab's folder", why, folder, full=True)
        with usable("the lab's folder", folder):
            for name in ("state", "notes", "logs"):
                (folder / name).mkdir(mode=0o700, exist_ok=True)
            write_atomic(folder / "passphrase", secrets.token_urlsafe(32))
    except OutsideError:
        remove(folder)
        raise
    log = folder / "logs" / "supervisor.log"
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", SUPERVISOR, "--folder", str(folder)],
        _environ(folder),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE),
    )

    def ask() -> bool | Pending:
        if Process.of(pid) is None:
            raise _no_supervisor(log)
        return bool(LabRecord.read(folder)) or Pending("the lab's supervisor")

    try:
        Waiter(START_LIMIT, every=0.02).until(ask)
    except TimedOut as error:
        raise _no_supervisor(log) from error


def _no_supervisor(log: Path) -> OutsideError:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")
    return OutsideError(f"the lab's supervisor did not start: {last}", code="lab.not_started", where=str(log))


def _environ(folder: Path) -> Mapping[str, str]:
    """Return the environment variables of the lab's processes: none of the caller's secrets or settings."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {"HOME": str(folder), "PATH": os.defpath, "PYTHONPATH": path, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
