"""The toolchain's folder: whole entries or none, however an install ends.

    toolchain/
      .lock                       one install at a time, held by flock; its builds hold it too, and may outlive it
      .new-XXXX/                  an install under way; without the lock's holder it is rubbish
      tool-0.8.0-f5a4385a2ae1/    tool, tool.json

An entry appears by one rename of a finished folder. What a killed install left is removed by the next one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError
from aiinfra.waiting import Pending, TimedOut, Waiter

LOCK_LIMIT = 3600.0
"""Seconds to wait for another install: a first build on one busy core takes about 20 minutes."""
_NEW = ".new-"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK = _FULL | {errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR}


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache folder of this user."""

    root: Path

    def entry(self, name: str, version: str, digest: str) -> Path:
        """The folder of one thing, there or not."""
        return self.root / f"{name}-{version}-{digest}"

    def publish(self, folder: Path, name: str, version: str, digest: str) -> Path:
        """Make a finished `folder` inside `installing()` an entry: it is moved. Returns where it lies now."""
        target = self.entry(name, version, digest)
        with suppress(FileNotFoundError):
            shutil.rmtree(target)
        return folder.rename(target)

    @contextmanager
    def installing(self, on_progress: Callable[[str], None]) -> Iterator[Path]:
        """Hold the install lock and own an empty folder inside the cache; both are gone afterwards."""
        self._make_root()
        with (self.root / ".lock").open("a+") as lock:
            self._acquire(lock.fileno(), on_progress)
            os.set_inheritable(lock.fileno(), True)
            for left in self.root.glob(f"{_NEW}*"):
                shutil.rmtree(left, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=_NEW, dir=self.root))
            try:
                with self._disk_errors():
                    yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)

    def _make_root(self) -> None:
        with self._disk_errors():
            self.root.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _DISK:
                raise
            raise OutsideError(
                f"cannot write the toolchain cache {self.root}: {error.strerror}",
                code="toolchain.space" if error.errno in _FULL else "toolchain.cache",
                hint="set XDG_CACHE_HOME to a folder that you may write to, with 6 GB free",
            ) from error

    def _acquire(self, lock: int, on_progress: Callable[[str], None]) -> None:
        def ask() -> bool | Pending:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Pending("another aiinfra is installing its toolchain")
            return True

        def say(what: str, since: float) -> None:
            on_progress(f"{what}; waiting for it ({since:.0f} s)")

        try:
            Waiter(limit=LOCK_LIMIT, on_wait=say).until(ask)
        except TimedOut as error:
            raise OutsideError(
                f"another aiinfra has been installing into {self.root} for {LOCK_LIMIT / 60:.0f} minutes",
                code="toolchain.locked",
                hint="end that process, then run again",
            ) from error
