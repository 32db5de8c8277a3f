"""Small notes kept beside the state: the environment's id and lock, and each stack's last success.

They are in the backend of the state, under `.aiinfra/<project>/`, whatever that backend is. `FileNotes` serves
`file://` without an engine; other backends go through the engine host (`HostNotes`).
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError

T = TypeVar("T")
PASSING: Final = frozenset({errno.ENOENT, errno.ESTALE, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ETIMEDOUT})
"""What a file system answers when something changed under a call, or a server was away: another try may succeed."""

AGAIN: Final = "run the command again"
CHECK: Final = "check state.url, and that you may write there"
_HINTS: Final = {errno.ENOSPC: "free space there", errno.EDQUOT: "free space there"}


class Notes(Protocol):
    """Keys are relative paths with `/`."""

    def get(self, key: str) -> bytes | None: ...
    def put(self, key: str, value: bytes) -> None: ...
    def create(self, key: str, value: bytes) -> bool:
        """Write only if the key is free; return False when it is taken."""
        ...

    def delete(self, key: str) -> None: ...
    def list(self, prefix: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class FileNotes:
    """Notes as files below `root`, each written whole or not at all.

    Several processes may work on them; what fails because something changed meanwhile is tried once more. Raises
    `OutsideError` `state.folder` when the file system refuses; it is transient when that may pass by itself.
    """

    root: Path

    def get(self, key: str) -> bytes | None:
        with self._refusals():
            return _twice(lambda: _content(self.root / key))

    def put(self, key: str, value: bytes) -> None:
        with self._refusals():
            _twice(lambda: self._write(key, value, lambda temporary, target: temporary.replace(target)))

    def create(self, key: str, value: bytes) -> bool:
        with self._refusals():
            try:
                _twice(lambda: self._write(key, value, os.link))
            except FileExistsError:
                return False
        return True

    def delete(self, key: str) -> None:
        with self._refusals():
            _twice(lambda: (self.root / key).unlink(missing_ok=True))

    def list(self, prefix: str) -> list[str]:
        with self._refusals():
            found = [path.relative_to(self.root).as_posix() for path in _files(self.root)]
        return sorted(key for key in found if key.startswith(prefix) and not key.endswith(".part"))

    def _write(self, key: str, value: bytes, settle: Callable[[Path, Path], object]) -> None:
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        try:
            temporary.write_bytes(value)
            settle(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise OutsideError(
                f"the state's folder cannot be used: {exc.strerror}",
                code="state.folder",
                where=str(exc.filename or self.root),
                hint=AGAIN if exc.errno in PASSING else _HINTS.get(exc.errno or 0, CHECK),
                transient=exc.errno in PASSING,
            ) from exc


def _files(root: Path) -> Iterator[Path]:
    """All files below `root`; a folder that is gone by the time it is read has none."""

    def unless_gone(exc: OSError) -> None:
        if exc.errno not in {errno.ENOENT, errno.ESTALE}:
            raise exc

    for folder, _, names in os.walk(root, onerror=unless_gone):
        yield from (Path(folder, name) for name in names)


def _content(path: Path) -> bytes | None:
    """None when there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _twice(action: Callable[[], T]) -> T:
    """What `action` gives; it is asked once more when what it met may be gone by now."""
    try:
        return action()
    except OSError as exc:
        if exc.errno not in PASSING:
            raise
    return action()
