"""Folders and files: what the file system refuses, as an error with the reason and a hint, and what they hold."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aiinfra.errors import OutsideError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
STATE: Final = "XDG_STATE_HOME"
"""The variable that moves what must outlive a run; without it HOME decides."""
CACHE: Final = "XDG_CACHE_HOME"
"""The variable that moves what can be made again."""


@contextmanager
def folder_errors(what: str, folder: Path, variable: str = STATE) -> Iterator[None]:
    """Inside, an `OSError` means that `what` cannot be used. Raises `OutsideError` `machine.folder` for it."""
    try:
        yield
    except OSError as error:
        why = str(error.strerror or error)
        raise folder_error(what, why, Path(error.filename or folder), variable, full=error.errno in FULL) from error


def folder_error(what: str, why: str, folder: Path, variable: str = STATE, *, full: bool = False) -> OutsideError:
    """Return the error for a folder that cannot be used."""
    action = "free some space there, or set" if full else "set"
    return OutsideError(
        f"{what} cannot be used: {why}",
        code="machine.folder",
        where=str(folder),
        hint=f"{action} {variable} to a folder that you may write to",
    )


def why_unusable(folder: Path, needed: int = 1) -> str:
    """Return why `needed` bytes cannot be written to a folder that may not exist yet, or "". Writes nothing."""
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not nearest.is_dir():
        return f"{nearest} is not a folder"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest} cannot be written"
    free = shutil.disk_usage(nearest).free
    return "" if free >= needed else f"{free >> 20} MiB are free and {max(1, needed >> 20)} MiB are needed"


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files below a folder with their names; `missing` when nothing is there.

    Raises `OSError` for what cannot be read.
    """
    if path.is_dir():
        whole = hashlib.sha256()
        for part in sorted(p for p in path.rglob("*") if p.is_file()):
            whole.update(f"{part.relative_to(path)}\0{content_digest(part)}\n".encode())
        return whole.hexdigest()
    if not path.exists():
        return "missing"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
