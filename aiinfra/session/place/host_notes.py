"""Notes in a remote state, reached through the engine host."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiinfra.dataclass import dataclass

if TYPE_CHECKING:
    from aiinfra.engine.host_client import EngineHost


@dataclass(frozen=True, slots=True)
class HostNotes:
    """`Notes` below a prefix of the state's own storage."""

    host: Callable[[], EngineHost]
    """Returns the running host, which may be another one than before."""
    prefix: str

    def get(self, key: str) -> bytes | None:
        return self.host().notes_get(self._key(key))

    def put(self, key: str, value: bytes) -> None:
        self.host().notes_put(self._key(key), value)

    def create(self, key: str, value: bytes) -> bool:
        return self.host().notes_create(self._key(key), value)

    def delete(self, key: str) -> None:
        self.host().notes_delete(self._key(key))

    def list(self, prefix: str) -> list[str]:
        return [key.removeprefix(f"{self.prefix}/") for key in self.host().notes_list(self._key(prefix))]

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}"
