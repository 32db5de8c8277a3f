"""Throw-away folders for labs: one for each rehearsal, removed at its end, or by the next one when it was killed.

The user of a folder holds a lock on it, so the kernel shows which are abandoned. Nothing here blocks.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiinfra.errors import OutsideError
from aiinfra.session.interrupt import signals_ignored

OnProgress = Callable[[str], None]


@contextmanager
def throwaway_folder(root: Path, name: str, say: OnProgress) -> Iterator[Path]:
    """Provide a folder for a lab below `root`. At the end, the lab in it is stopped and the folder removed."""
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder, lock = _new_folder(root, name)
    except OSError as error:
        raise OutsideError(
            f"no folder for a rehearsal can be made: {error.strerror}",
            code="rehearsal.folder",
            where=str(root),
            hint="make it writable, or set XDG_STATE_HOME to a folder that is",
        ) from error
    try:
        _sweep(root, say)
        yield folder / name
    finally:
        with signals_ignored():
            _remove(folder)
        os.close(lock)


def _new_folder(root: Path, name: str) -> tuple[Path, int]:
    """Return a new folder and the lock on it; a sweep may remove a folder before it is locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
        lock = _lock(folder)
        if lock is not None:
            return folder, lock


def _lock(folder: Path) -> int | None:
    """Return the lock on a folder; None when another process holds it or the folder is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if folder.exists() and os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
    except BlockingIOError:
        pass
    os.close(handle)
    return None


def _sweep(root: Path, say: OnProgress) -> None:
    for folder in sorted(root.iterdir()):
        lock = _lock(folder)
        if lock is None:
            continue
        try:
            _remove(folder)
            say(f"removed what an interrupted rehearsal left: {folder.name}")
        except OutsideError as error:
            say(f"what an interrupted rehearsal left stays in {folder}: {error}")
        finally:
            os.close(lock)


def _remove(folder: Path) -> None:
    from aiinfra.lab.lab import Lab

    for inner in sorted(folder.iterdir()):
        lab = Lab.find(inner)
        if lab is not None:
            lab.stop()
    shutil.rmtree(folder, ignore_errors=True)
