"""How commands talk to a lab's supervisor: one JSON document a line over a unix socket in the lab's folder.

A request is one line, `{"verb": …}`. Responses: any number of `{"say": text}`, then `{"done": value}` or
`{"error": {code, where, message, hint}}`. Only the folder's owner (mode 0700) reaches the socket.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from aiinfra.errors import AiinfraError, ConfigError, OutsideError

SOCKET: Final = "control.sock"
Say = Callable[[str], None]
VerbHandler = Callable[[Mapping[str, Any], Say], object]
"""Handles a request, reporting progress, and returns the value of `done`. May raise `AiinfraError`."""


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """Yield an address of the socket that fits the 108 bytes of `sockaddr_un`, however long the folder's path is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def ask(folder: Path, request: Mapping[str, Any], say: Say) -> Any:
    """Send a request and return the value of `done`.

    Raises what the supervisor raised, or `OutsideError` `lab.gone` when it does not answer.
    """
    try:
        with _short_path(folder) as address, socket.socket(socket.AF_UNIX) as line:
            line.connect(address)
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("r", encoding="utf-8") as answers:
                return _outcome(map(json.loads, answers), say)
    except OSError as error:
        raise _gone(folder) from error


def _outcome(answers: Iterator[Mapping[str, Any]], say: Say) -> Any:
    for answer in answers:
        if "say" in answer:
            say(answer["say"])
        elif "error" in answer:
            raise _error(answer["error"])
        else:
            return answer["done"]
    raise ConnectionAbortedError


def _error(raw: Mapping[str, Any]) -> AiinfraError:
    family = ConfigError if raw["exit_code"] == ConfigError.exit_code else OutsideError
    return family(raw["message"], code=raw["code"], where=raw["where"], hint=raw["hint"])


def _gone(folder: Path) -> OutsideError:
    return OutsideError(
        "the lab's supervisor ended while it was asked",
        code="lab.gone",
        where=str(folder),
        hint="run the command again: a dead lab is discarded and a new one started",
        transient=True,
    )


class _Handler(socketserver.StreamRequestHandler):
    server: ControlServer

    def handle(self) -> None:
        raw = self.rfile.readline()
        if raw:
            self._answer(json.loads(raw))

    def _answer(self, request: Mapping[str, Any]) -> None:
        try:
            self._send({"done": self.server.answer(request, lambda text: self._send({"say": text}))})
        except AiinfraError as error:
            record = error.records()[0]
            kept = {key: value for key, value in record.as_json().items() if key != "transient"}
            self._send({"error": {**kept, "exit_code": error.exit_code}})

    def _send(self, document: Mapping[str, object]) -> None:
        """Send a document; a caller that has gone does not stop the work."""
        with suppress(OSError):
            self.wfile.write(json.dumps(document).encode() + b"\n")


class ControlServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves `answer` on the lab's socket, a thread for each caller."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path, answer: VerbHandler) -> None:
        self.answer = answer
        (folder / SOCKET).unlink(missing_ok=True)
        with _short_path(folder) as address:
            super().__init__(address, _Handler)
