"""A standard stream as a sink: masked, safe from several threads, and it outlives its reader.

`aiinfra up | head`, a terminal that closes and a full disk must not stop a run half-way: from then on the sink swallows
what it is given.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import threading
from typing import TextIO, cast

from aiinfra.ui.masking import NOTHING, Masker

GONE = frozenset({errno.EPIPE, errno.EIO})
"""How a reader that left looks: a pipe without its other end, a terminal that was closed."""
_PLAIN = str.maketrans({"·": "-", "…": "...", "←": "<-", "→": "->"})
"""What our own signs become where they cannot be written; other letters become `?`."""


_CONTROL = re.compile("\x1b(?!\\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves the cursor, sounds, renames the terminal or turns the direction of writing."""


def _escape_controls(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()


class Output:
    """Writes whole lines to `stream`. `masker` may be replaced once secrets are known."""

    def __init__(self, stream: TextIO | None, masker: Masker = NOTHING) -> None:
        self.masker = masker
        self.lost = ""
        """Why something was not written although somebody reads; empty when nothing was."""
        self._stream = stream
        self._lock = threading.Lock()
        self._broken = stream is None

    def line(self, text: str = "") -> None:
        """Write the text and an end of line, in what the stream's encoding has.

        Control characters in it, which others may have put into a message, are shown instead of obeyed; colours stay.
        """
        self._write(self._encodable(_CONTROL.sub(_escape_controls, self.masker(text))) + "\n")

    def json(self, value: object, *, indent: int | None = None) -> None:
        """Write one JSON document."""
        separators = (",", ":") if indent is None else None
        self._write(json.dumps(self.masker.tree(value), indent=indent, separators=separators) + "\n")

    def file(self) -> TextIO:
        """The stream, unmasked, for those who write to a file; it outlives its reader as well."""
        return cast("TextIO", _File(self))

    def raw(self, text: str) -> None:
        """Write the text unmasked, without an end of line."""
        self._write(self._encodable(text))

    def _encodable(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
        return text

    def _write(self, text: str) -> None:
        with self._lock:
            if self._broken or self._stream is None:
                return
            try:
                self._stream.write(text)
                self._stream.flush()
            except OSError as error:
                self._broken = True
                self.lost = "" if error.errno in GONE else error.strerror or str(error)
                self._silence(self._stream)

    def _silence(self, stream: TextIO) -> None:
        """Point the descriptor elsewhere, so that the interpreter's last flush does not complain."""
        try:
            descriptor = stream.fileno()
        except OSError:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


class _File(io.TextIOBase):
    """What libraries that draw take for a file."""

    encoding = "utf-8"

    def __init__(self, out: Output) -> None:
        self._out = out

    def write(self, text: str, /) -> int:
        self._out.raw(text)
        return len(text)

    def isatty(self) -> bool:
        return True
