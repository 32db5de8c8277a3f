"""The connection to the engine host: requests out, replies in, one JSON object per line.

It handles ids, threads and a host that dies, and does not depend on what is requested.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import field
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.errors import AiinfraError

GREETING_LIMIT: Final = 60.0
"""Seconds for the greeting of a host; it takes 0.1 on an idle machine."""
Reply = Mapping[str, Any]
HINTS: Final[Mapping[str, str]] = {
    "changing": "run the command again",
    "damaged": "put back the copy beside it (*.bak), or one of .pulumi/history, and run refresh",
    "key_service": "check the key's URL in state.secrets and the credentials for it",
    "legacy": "run pulumi state upgrade on it",
    "locked": "wait for it to end; if it is dead, run pulumi cancel on the stack",
    "newer": "use an aiinfra that is as new as what wrote it last, or another state.url",
    "passphrase": "set PULUMI_CONFIG_PASSPHRASE to the passphrase that this state was made with",
    "state": "check the state's URL and the credentials for it",
}
"""Hints for the host's codes that have one."""


HOST_CODES: Final[Mapping[str, str]] = {
    "bad_request": "engine.bad_request",
    "busy": "engine.busy",
    "changing": "engine.changing",
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
"""Our code for each of the host's codes (see its PROTOCOL.md); any other becomes `engine.failed`."""


TRANSIENT: Final = frozenset({"busy", "changing", "locked"})
"""The host's codes for what may pass by itself."""


class EngineError(AiinfraError):
    """The engine host refused a request or is gone. Exit code 3; within a step it becomes that step's failure."""

    exit_code = 3
    default_code = "engine.failed"


PASSING: Final = (
    r"(?i)StatusCode: 5\d\d|\bError 5\d\d\b|RESPONSE 5\d\d|SlowDown|ServiceUnavailable|InternalError|TooManyRequests"
    r"|StatusCode: 429|\bError 429\b|RESPONSE 429|RequestTimeout|i/o timeout|TLS handshake timeout|deadline exceeded"
    r"|connection reset by peer|broken pipe|unexpected EOF|temporary failure in name resolution"
    r"|stale (NFS )?file handle|resource temporarily unavailable"
)
"""What storage says when it is away for a moment: S3 (aws-sdk-go-v2), Google Cloud Storage (googleapi), Azure
(azcore), Go's net and syscall. Their libraries have asked again by then."""
AWAY: Final = "run the command again; if it stays so, see whether the state's storage works and can be reached"


def refusal(code: str, message: str, where: str) -> EngineError:
    """Return the error for what the host refused. Storage that is away for a moment is no matter of credentials."""
    ours = HOST_CODES.get(code, EngineError.default_code)
    if code == "state" and re.search(PASSING, message):
        return EngineError(message, code=ours, where=where, hint=AWAY, transient=True)
    return EngineError(message, code=ours, where=where, hint=HINTS.get(code, ""), transient=code in TRANSIENT)


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that was sent and has no reply yet."""

    id: str
    on_event: Callable[[Reply], None] = field(repr=False)
    future: Future[Reply] = field(default_factory=Future, repr=False)

    def reply(self, timeout: float | None = None) -> Reply:
        """Return the reply. Raises `TimeoutError`, or `EngineError` when the host died first."""
        try:
            return self.future.result(timeout)
        except FutureTimeout as exc:
            raise TimeoutError(f"no answer of the engine host within {timeout} s") from exc


@dataclass(slots=True)
class HostConnection:
    """A connection to one host. Thread-safe; created by `over`."""

    _out: IO[bytes]
    _in: IO[bytes]
    _process: subprocess.Popen[bytes]
    _log: Path
    _state: str = ""
    """The state that the host works on, as errors name it."""
    _waiting: dict[str, PendingRequest] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Guards `_waiting`; never held while the pipe is written, as the host may have to be read first."""
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _listeners: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="engine-host-events")
    )
    """Calls listeners in order, so that a slow one never stops the reader."""
    _ids: count[int] = field(default_factory=lambda: count(1))
    _greeting: Future[Reply] = field(default_factory=Future)
    _gone: EngineError | None = None
    _reader: threading.Thread | None = None

    @classmethod
    def over(cls, process: subprocess.Popen[bytes], log: Path, state: str = "") -> HostConnection:
        assert process.stdin is not None
        assert process.stdout is not None
        connection = cls(process.stdin, process.stdout, process, log, state)
        connection._reader = threading.Thread(target=connection._read, name="engine-host-reader", daemon=True)
        connection._reader.start()
        return connection

    def greeting(self) -> Reply:
        """Return the host's greeting. Raises `EngineError` when none arrives."""
        try:
            return self._greeting.result(GREETING_LIMIT)
        except FutureTimeout as exc:
            raise EngineError("the engine host does not answer", code="engine.silent", where=str(self._log)) from exc

    def post(
        self, request: Mapping[str, Any], on_event: Callable[[Reply], None] = lambda event: None
    ) -> PendingRequest:
        """Send a request. When the host is gone already, its reply raises that error."""
        pending = PendingRequest(str(next(self._ids)), on_event)
        with self._lock:
            if self._gone is not None:
                pending.future.set_exception(self._gone)
                return pending
            self._waiting[pending.id] = pending
        self._send({**request, "id": pending.id})
        return pending

    def ask(self, request: Mapping[str, Any], on_event: Callable[[Reply], None] = lambda event: None) -> Any:
        """Send a request and return its result. Raises `EngineError` with the host's code and message."""
        reply = self.post(request, on_event).reply()
        if error := reply.get("error"):
            raise refusal(error["code"], error["message"], str(request.get("stack") or self._state))
        return reply.get("result") or {}

    def end_input(self) -> None:
        """Close the input of the host, which then cancels, saves and exits."""
        with self._writing:
            self._close_out()

    def join(self) -> None:
        """Wait for the reader to end; to be called after the process has ended."""
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join()
        self._listeners.shutdown()
        self._in.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        raw = json.dumps(request).encode() + b"\n"
        with self._writing:
            try:
                self._out.write(raw)
                self._out.flush()
            except (OSError, ValueError):
                self._close_out()  # the reader sees the end and fails all requests

    def _close_out(self) -> None:
        try:
            self._out.close()
        except OSError:
            return  # what was not flushed cannot arrive any more

    def _read(self) -> None:
        for raw in self._in:
            try:
                self._dispatch(json.loads(raw))
            except ValueError:
                self._process.kill()  # not the protocol: nothing after it can be trusted
                break
        self._fail_pending()

    def _dispatch(self, reply: Reply) -> None:
        if greeting := reply.get("hello"):
            self._greeting.set_result(greeting)
            return
        done = bool(reply.get("done"))
        with self._lock:
            pending = self._waiting.pop(reply["id"], None) if done else self._waiting.get(reply["id"])
        if pending is not None:
            self._listeners.submit(_deliver, pending, reply).add_done_callback(
                lambda done: _fail_on_listener_error(pending, done)
            )

    def _fail_pending(self) -> None:
        status = self._process.wait()
        gone = EngineError(
            f"the engine host (pid {self._process.pid}) ended {_exit_text(status)}",
            code="engine.gone",
            where=str(self._log),
            hint="run the command again; what was finished is saved",
            transient=True,
        )
        with self._lock:
            self._gone = gone
            lost, self._waiting = list(self._waiting.values()), {}
        for pending in lost:
            self._listeners.submit(pending.future.set_exception, gone)
        if not self._greeting.done():
            self._greeting.set_exception(gone)


def _deliver(pending: PendingRequest, reply: Reply) -> None:
    if reply.get("done"):
        if not pending.future.done():
            pending.future.set_result(reply)
    elif event := reply.get("event"):
        pending.on_event(event)


def _fail_on_listener_error(pending: PendingRequest, done: Future[None]) -> None:
    """Fail the request whose listener raised, as that is a bug of the listener's owner."""
    if (failure := done.exception()) is not None and not pending.future.done():
        pending.future.set_exception(failure)


def _exit_text(status: int) -> str:
    return f"by signal {-status}" if status < 0 else f"with status {status}"
