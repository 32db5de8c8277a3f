"""A lab as its users see it: open it, find it, break it, stop it.

`Lab.find` reads one file and two of /proc, and imports nothing heavy; `Lab.open` starts what is missing.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from aiinfra.engine.lock import Process
from aiinfra.errors import OutsideError
from aiinfra.lab.record import RECORD, LabRecord, write_atomic
from aiinfra.waiting import Pending, TimedOut, Waiter

if TYPE_CHECKING:
    from aiinfra.lab.faults import Fault
    from aiinfra.model.lab import LabSpec

SUPERVISOR: Final = "aiinfra.lab.supervisor"
START_LIMIT: Final = 60.0
"""Seconds until a new supervisor must have written its record; it takes half a second."""
STOP_LIMIT: Final = 10.0
"""Seconds for a supervisor that was asked to stop."""
KILL_LIMIT: Final = 10.0
"""Seconds for processes that got SIGKILL."""

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lab:
    """One environment's lab: a folder with the simulated world's processes, state and secrets."""

    folder: Path
    record: LabRecord
    discarded: str = ""
    """What `open` found dead and discarded, as a sentence; empty when there was nothing."""

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """The lab in `folder`, alive or dead; None when there is none."""
        record = LabRecord.read(folder)
        return cls(folder, record) if record else None

    @classmethod
    def open(
        cls,
        folder: Path,
        spec: LabSpec,
        cluster_names: Sequence[str],
        binaries: Mapping[str, Path],
        on_progress: OnProgress,
    ) -> Self:
        """A live lab with these clusters, as `spec` describes them (with its defaults where it does not).

        A live lab is used again; a dead one is discarded whole first. Two at once give one lab.
        Raises `OutsideError` when it cannot be started.
        """
        with _alone(folder, on_progress):
            discarded = _discard_dead(folder, on_progress)
            if not LabRecord.read(folder):
                _start(folder)
                on_progress("lab: supervisor started")
            wanted = {name: _described(spec, name) for name in cluster_names}
            texts = {name: str(path) for name, path in binaries.items()}
            _ask(folder, {"verb": "ensure", "clusters": wanted, "binaries": texts}, on_progress)
        return cls(folder, _live_record(folder), discarded)

    @property
    def alive(self) -> bool:
        return self.record.alive

    @property
    def generation(self) -> str:
        """Another one means another world behind the same names."""
        return self.record.generation

    def clusters(self) -> Sequence[str]:
        """Names of the clusters that answer."""
        return tuple(self.record.clusters)

    def provides(self, spec: LabSpec, cluster_names: Sequence[str]) -> bool:
        """Whether it has all these clusters just as `spec` describes them; if not, `open` changes it."""
        from aiinfra.lab.simulated_cluster import SPEC, cluster_home

        def same(name: str) -> bool:
            path = cluster_home(self.folder, name) / SPEC
            return name in self.record.clusters and json.loads(path.read_text()) == _described(spec, name)

        return all(map(same, cluster_names))

    @property
    def state_url(self) -> str:
        return f"file://{self.folder / 'state'}"

    @property
    def passphrase(self) -> str:
        return (self.folder / "passphrase").read_text()

    def kubeconfig(self, cluster: str) -> str:
        """Access to a cluster as its administrator; secret. Raises `OutsideError` `lab.no_cluster`."""
        from aiinfra.lab.simulated_cluster import HANDED_OUT, cluster_home

        if cluster not in self.record.clusters:
            hint = f"it has: {', '.join(sorted(self.clusters())) or 'none'}"
            raise OutsideError(f"the lab has no cluster {cluster!r}", code="lab.no_cluster", where=cluster, hint=hint)
        return (cluster_home(self.folder, cluster) / HANDED_OUT).read_text()

    def faults(self) -> Sequence[Fault]:
        from aiinfra.lab import faults

        return faults.read(self.folder)

    def set_fault(self, name: str, place: str = "") -> None:
        """Break something, at a cluster or stack or (empty) everywhere. Raises `ConfigError` for an unknown name."""
        self._change_fault("fault", name, place)

    def lift_fault(self, name: str, place: str = "") -> None:
        """Mend it, at one place or (empty) everywhere."""
        self._change_fault("lift", name, place)

    def status(self) -> Mapping[str, Any]:
        """Clusters, processes and faults, as the supervisor knows them."""
        status: Mapping[str, Any] = _ask(self.folder, {"verb": "status"}, lambda text: None)
        return status

    def stop(self) -> None:
        """End the lab: no process of it and no file of it is left."""
        with _alone(self.folder, lambda text: None):
            record = LabRecord.read(self.folder) or self.record
            if record.alive:
                with suppress(OutsideError):
                    _ask(self.folder, {"verb": "stop"}, lambda text: None)
                _end([record.supervisor], STOP_LIMIT)
            _end([child.process for child in record.survivors()], patience=0)
            _empty(self.folder)
            self.folder.rmdir()

    def discard(self, on_progress: OnProgress) -> None:
        """Remove a dead lab, its folder included, and say so; a live one is left alone."""
        with _alone(self.folder, on_progress):
            if _discard_dead(self.folder, on_progress):
                self.folder.rmdir()

    def _change_fault(self, verb: str, name: str, place: str) -> None:
        from aiinfra.lab.faults import check_name

        _ask(self.folder, {"verb": verb, "name": check_name(name), "place": place}, lambda text: None)


def _discard_dead(folder: Path, on_progress: OnProgress) -> str:
    record = LabRecord.read(folder)
    if record is None or record.alive:
        return ""
    _end([child.process for child in record.survivors()], patience=0)
    _empty(folder)
    clusters = ", ".join(sorted(record.clusters)) or "none"
    text = f"discarded the dead lab of {record.since} with its state (clusters: {clusters}): {record.death()}"
    on_progress(text)
    return text


def _end(processes: Sequence[Process], patience: float) -> None:
    """See these processes gone, by SIGKILL after `patience` seconds. Raises `OutsideError` `lab.not_stopped`."""
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


def _empty(folder: Path) -> None:
    """Delete all that is in the folder, the record last: who finds a removal cut short resumes it."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name == RECORD):
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


@contextmanager
def _alone(folder: Path, on_progress: OnProgress) -> Iterator[None]:
    """Be the only one that starts or stops this lab. The lock is on the folder itself and leaves no file."""
    handle = _lock(folder, on_progress)
    try:
        yield
    finally:
        os.close(handle)


def _lock(folder: Path, on_progress: OnProgress) -> int:
    while True:
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


def _start(folder: Path) -> None:
    """Start a supervisor that outlives us, in its own session, and wait for its record."""
    for name in ("state", "notes", "logs"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    write_atomic(folder / "passphrase", secrets.token_urlsafe(32))
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
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return OutsideError(f"the lab's supervisor did not start: {said}", code="lab.not_started", where=str(log))


def _environ(folder: Path) -> Mapping[str, str]:
    """What the lab's processes get of the environment: nothing of the caller's secrets or settings."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {"HOME": str(folder), "PATH": os.defpath, "PYTHONPATH": path, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def _described(spec: LabSpec, name: str) -> Mapping[str, Any]:
    from aiinfra.model.lab import LabCluster

    return (spec.clusters.get(name) or LabCluster()).model_dump()


def _ask(folder: Path, request: Mapping[str, Any], on_progress: OnProgress) -> Any:
    from aiinfra.lab.control import ask

    return ask(folder, request, on_progress)


def _live_record(folder: Path) -> LabRecord:
    record = LabRecord.read(folder)
    if record is None or not record.alive:
        raise OutsideError("the lab ended while it was opened", code="lab.gone", where=str(folder), transient=True)
    return record
