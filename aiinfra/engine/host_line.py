"""The line to the engine host: requests out, replies in, one JSON object a line.

Knows ids, threads and a host that dies; knows nothing of what is asked.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

from aiinfra.errors import AiinfraError

GREETING_LIMIT: Final = 60.0
"""Seconds for a host to say hello; it takes 0.1 on an idle machine."""
Reply = Mapping[str, Any]
HINTS: Final[Mapping[str, str]] = {
    "damaged": "put back the copy beside it (*.bak), or one of .pulumi/history, and run refresh",
    "key_service": "check the key's URL in state.secrets and the credentials for it",
    "legacy": "run pulumi state upgrade on it",
    "locked": "wait for it to end; if it is dead, run pulumi cancel on the stack",
    "newer": "use an aiinfra that is as new as what wrote it last, or another state.url",
    "passphrase": "set PULUMI_CONFIG_PASSPHRASE to the passphrase that this state was made with",
    "state": "check the state's URL and the credentials for it",
}
"""A way out for the host's codes that have one."""


HOST_CODES: Final[Mapping[str, str]] = {
    "bad_request": "engine.bad_request",
    "busy": "engine.busy",
    "damaged": "engine.damaged",
    "interrupted": "engine.interrupted",
    "key_service": "engine.key_service",
    "legacy": "engine.legacy",
    "locked": "engine.locked",
    "newer": "engine.newer",
    "not_found": "engine.not_found",
    "panic": "engine.panic",
    "passphrase": "engine.passphrase",
    "state": "engine.state",
}
"""The host's codes (see its PROTOCOL.md) as ours; any other is `engine.failed`."""


class EngineError(AiinfraError):
    """The engine host refused, or is gone. Exit 3: whoever runs a step makes it that step's failure."""

    exit_code = 3
    default_code = "engine.failed"


def refusal(code: str, message: str, where: str) -> EngineError:
    """What the host refused, as an error with the host's own code."""
    ours = HOST_CODES.get(code, EngineError.default_code)
    return EngineError(message, code=ours, where=where, hint=HINTS.get(code, ""))


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that was sent and is not answered yet."""

    id: str
    on_event: Callable[[Reply], None] = field(repr=False)
    answer: Future[Reply] = field(default_factory=Future, repr=False)

    def reply(self, timeout: float | None = None) -> Reply:
        """Raises `TimeoutError`, or `EngineError` when the host died first."""
        try:
            return self.answer.result(timeout)
        except FutureTimeout as exc:
            raise TimeoutError(f"no answer of the engine host within {timeout} s") from exc


@dataclass(slots=True)
class Line:
    """Thread-safe. Made by `over`."""

    _out: IO[bytes]
    _in: IO[bytes]
    _process: subprocess.Popen[bytes]
    _log: Path
    _state: str = ""
    """What the host works on, as errors name it."""
    _waiting: dict[str, Pending] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Guards what is waited for; never held while the pipe is written, as the host may have to be read first."""
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _heard: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="engine-host-events")
    )
    """Calls back in order, so that a slow listener never stops the reader."""
    _ids: count[int] = field(default_factory=lambda: count(1))
    _hello: Future[Reply] = field(default_factory=Future)
    _gone: EngineError | None = None
    _reader: threading.Thread | None = None

    @classmethod
    def over(cls, process: subprocess.Popen[bytes], log: Path, state: str = "") -> Line:
        assert process.stdin is not None
        assert process.stdout is not None
        line = cls(process.stdin, process.stdout, process, log, state)
        line._reader = threading.Thread(target=line._read, name="engine-host-reader", daemon=True)
        line._reader.start()
        return line

    def greeting(self) -> Reply:
        """The host's first word. Raises `EngineError` when it does not come."""
        try:
            return self._hello.result(GREETING_LIMIT)
        except FutureTimeout as exc:
            raise EngineError("the engine host does not answer", code="engine.silent", where=str(self._log)) from exc

    def post(self, request: Mapping[str, Any], on_event: Callable[[Reply], None] = lambda event: None) -> Pending:
        """Send a request. When the host is gone already, the answer is that error."""
        pending = Pending(str(next(self._ids)), on_event)
        with self._lock:
            if self._gone is not None:
                pending.answer.set_exception(self._gone)
                return pending
            self._waiting[pending.id] = pending
        self._send({**request, "id": pending.id})
        return pending

    def ask(self, request: Mapping[str, Any], on_event: Callable[[Reply], None] = lambda event: None) -> Any:
        """Send a request and wait for its result. Raises `EngineError` with the host's code and words."""
        reply = self.post(request, on_event).reply()
        if error := reply.get("error"):
            raise refusal(error["code"], error["message"], str(request.get("stack") or self._state))
        return reply.get("result") or {}

    def end_input(self) -> None:
        """Say that nothing more comes; the host then cancels, saves and ends."""
        with self._writing:
            self._close_out()

    def join(self) -> None:
        """Wait for the reader; only after the process has ended."""
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join()
        self._heard.shutdown()
        self._in.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        raw = json.dumps(request).encode() + b"\n"
        with self._writing:
            try:
                self._out.write(raw)
                self._out.flush()
            except (OSError, ValueError):
                self._close_out()  # the reader sees the end and tells everybody

    def _close_out(self) -> None:
        try:
            self._out.close()
        except OSError:
            return  # what was not flushed cannot arrive any more

    def _read(self) -> None:
        for raw in self._in:
            try:
                self._hear(json.loads(raw))
            except ValueError:
                self._process.kill()  # not the protocol: nothing after it can be trusted
                break
        self._lose()

    def _hear(self, reply: Reply) -> None:
        if hello := reply.get("hello"):
            self._hello.set_result(hello)
            return
        done = bool(reply.get("done"))
        with self._lock:
            pending = self._waiting.pop(reply["id"], None) if done else self._waiting.get(reply["id"])
        if pending is not None:
            self._heard.submit(_pass_on, pending, reply).add_done_callback(lambda told: _blame(pending, told))

    def _lose(self) -> None:
        status = self._process.wait()
        gone = EngineError(
            f"the engine host (pid {self._process.pid}) ended {_how(status)}",
            code="engine.gone",
            where=str(self._log),
            hint="run the command again; what was finished is saved",
            transient=True,
        )
        with self._lock:
            self._gone = gone
            lost, self._waiting = list(self._waiting.values()), {}
        for pending in lost:
            self._heard.submit(pending.answer.set_exception, gone)
        if not self._hello.done():
            self._hello.set_exception(gone)


def _pass_on(pending: Pending, reply: Reply) -> None:
    if reply.get("done"):
        if not pending.answer.done():
            pending.answer.set_result(reply)
    elif event := reply.get("event"):
        pending.on_event(event)


def _blame(pending: Pending, told: Future[None]) -> None:
    """A listener that fails is a bug of its owner: it fails the request that it listens to."""
    if (failure := told.exception()) is not None and not pending.answer.done():
        pending.answer.set_exception(failure)


def _how(status: int) -> str:
    return f"by signal {-status}" if status < 0 else f"with status {status}"
