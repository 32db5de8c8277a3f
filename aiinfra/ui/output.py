"""A standard stream as a sink: masked, safe from several threads, and it outlives its reader.

`aiinfra up | head` must not stop a run half-way: after a broken pipe the sink swallows what it is given.
"""

from __future__ import annotations

import json
import os
import threading
from typing import TextIO

from aiinfra.ui.masking import NOTHING, Masker

_PLAIN = str.maketrans({"·": "-", "…": "...", "←": "<-", "→": "->"})
"""What our own signs become where they cannot be written; other letters become `?`."""


class Output:
    """Writes whole lines to `stream`. `masker` may be replaced once secrets are known."""

    def __init__(self, stream: TextIO, masker: Masker = NOTHING) -> None:
        self.masker = masker
        self._stream = stream
        self._lock = threading.Lock()
        self._broken = False

    def line(self, text: str = "") -> None:
        """Write the text and an end of line, in what the stream's encoding has."""
        self._write(self._encodable(self.masker(text)) + "\n")

    def json(self, value: object, *, indent: int | None = None) -> None:
        """Write one JSON document."""
        separators = (",", ":") if indent is None else None
        self._write(json.dumps(self.masker.tree(value), indent=indent, separators=separators) + "\n")

    def _encodable(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
        return text

    def _write(self, text: str) -> None:
        with self._lock:
            if self._broken:
                return
            try:
                self._stream.write(text)
                self._stream.flush()
            except BrokenPipeError:
                self._broken = True
                self._silence()

    def _silence(self) -> None:
        """Point the descriptor elsewhere, so that the interpreter's last flush does not complain."""
        try:
            descriptor = self._stream.fileno()
        except OSError:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
