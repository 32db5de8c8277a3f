"""The client of the engine host: starts it, sends requests, delivers events and ends it.

One reader thread receives all replies; callers may be on any thread. The host has its own session, so that Ctrl-C on
the terminal reaches only us. The protocol is in `host/PROTOCOL.md`. Imports neither pulumi nor grpc.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.engine.host_connection import EngineError, HostConnection, PendingRequest
from aiinfra.engine.host_records import (
    FailedResource,
    HostSettings,
    ImportedResource,
    Operation,
    OperationResult,
    PendingOperation,
    StackLock,
    tree_map,
)
from aiinfra.engine.wire import Tree
from aiinfra.errors import OutsideError
from aiinfra.model.state_url import redact_url

PROTOCOL: Final = 1
CLOSE_LIMIT: Final = 600.0
"""Seconds to wait for operations to end when the host is closed: a cloud may take minutes to answer."""

OnEngineEvent = Callable[[Mapping[str, Any]], None]

__all__ = [
    "EngineError",
    "EngineHost",
    "FailedResource",
    "HostSettings",
    "ImportedResource",
    "Operation",
    "OperationHandle",
    "OperationResult",
    "PendingOperation",
    "StackLock",
]


@dataclass(frozen=True, slots=True)
class OperationHandle:
    """A running operation."""

    _connection: HostConnection
    _pending: PendingRequest

    def result(self, timeout: float | None = None) -> OperationResult:
        """Wait for the result. Raises `TimeoutError` after `timeout` seconds, `EngineError` when the host died."""
        return OperationResult.of(self._pending.reply(timeout))

    def wait(self) -> None:
        """Wait until it has ended, successfully or not."""
        wait([self._pending.future])

    def cancel(self) -> None:
        """Finish the steps that run, save, stop. Does nothing when the operation has ended."""
        self._connection.post({"op": "cancel", "target": self._pending.id})

    def terminate(self) -> None:
        """Stop now; what runs is left as a pending operation."""
        self._connection.post({"op": "terminate", "target": self._pending.id})


@dataclass(slots=True)
class EngineHost:
    """A running host. Every method raises `EngineError` when the host refuses or is gone."""

    _process: subprocess.Popen[bytes]
    _connection: HostConnection

    @classmethod
    def start(cls, binary: Path, settings: HostSettings, log: Path) -> EngineHost:
        """Start a host; its key is derived while the caller goes on. `log` is appended to."""
        process = _spawn(binary, settings.environ, log)
        host = cls(process, HostConnection.over(process, log, redact_url(settings.backend_url)))
        with ExitStack() as undo:
            undo.callback(host.close)
            undo.callback(process.kill)
            host._open(binary, settings)
            undo.pop_all()
        return host

    def _open(self, binary: Path, settings: HostSettings) -> None:
        spoken = self._connection.greeting().get("protocol")
        if spoken != PROTOCOL:
            raise OutsideError(
                f"the engine host speaks protocol {spoken}, not {PROTOCOL}",
                code="engine.protocol",
                where=str(binary),
                hint="leave out --toolchain and AIINFRA_TOOLCHAIN; aiinfra toolchain install then brings one that fits",
            )
        self._connection.ask({"op": "open", "settings": settings.as_json()})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def operate(self, op: Operation, on_event: OnEngineEvent = lambda event: None) -> OperationHandle:
        """Start an operation; `on_event` gets Pulumi's engine events (apitype.EngineEvent) on the listeners' thread."""
        return OperationHandle(self._connection, self._connection.post(op.as_json(), on_event))

    def ready(self, *, make: bool = False) -> None:
        """Wait until the environment's secrets can be decrypted. Raises `EngineError` when they cannot.

        With `make`, an environment without a salt or data key gets one.
        """
        self._connection.ask({"op": "ready", "make": make})

    def attach(self, providers: Mapping[str, int]) -> None:
        """Replace the providers that the host knows by those that this process serves, for later operations."""
        self._connection.ask({"op": "attach", "attached": dict(providers)})

    def outputs(self, stack: str) -> Mapping[str, Tree]:
        """Return the outputs in the stack's state; empty for a stack that does not exist."""
        return tree_map(self._connection.ask({"op": "outputs", "stack": stack})["outputs"])

    def stacks(self) -> list[str]:
        return list(self._connection.ask({"op": "stacks"})["stacks"])

    def remove_stack(self, stack: str, *, force: bool = False) -> bool:
        """Remove a stack without resources, or with `force` any stack. Returns False when there is none."""
        return bool(self._connection.ask({"op": "remove_stack", "stack": stack, "force": force})["removed"])

    def export(self, stack: str) -> Mapping[str, Any]:
        """Return the stack's state in Pulumi's own format, secrets encrypted."""
        deployment: Mapping[str, Any] = self._connection.ask({"op": "export", "stack": stack})["deployment"]
        return deployment

    def pending(self, stack: str) -> list[PendingOperation]:
        return _pending(self._connection.ask({"op": "pending", "stack": stack})["pending"])

    def repair(self, stack: str) -> int:
        """Drop the stack's pending operations and return their number. The caller refreshes what they worked on."""
        return len(self._connection.ask({"op": "repair", "stack": stack})["dropped"])

    def locks(self) -> list[StackLock]:
        found = self._connection.ask({"op": "locks"})["locks"]
        return [
            StackLock(one["stack"], one["pid"], one["host"], one["user"], datetime.fromisoformat(one["since"]))
            for one in found
        ]

    def clear_locks(self, stack: str) -> int:
        """Delete the stack's locks and return their number. The caller knows that their holders are dead."""
        return len(self._connection.ask({"op": "clear_locks", "stack": stack})["cleared"])

    def notes_get(self, key: str) -> bytes | None:
        result = self._connection.ask({"op": "notes_get", "key": key})
        return base64.b64decode(result["value"] or "") if result["found"] else None

    def notes_put(self, key: str, value: bytes) -> None:
        self._connection.ask({"op": "notes_put", "key": key, "value": base64.b64encode(value).decode()})

    def notes_create(self, key: str, value: bytes) -> bool:
        """Write a note only if the key is free; return False when it is taken."""
        result = self._connection.ask(
            {"op": "notes_put", "key": key, "value": base64.b64encode(value).decode(), "absent": True}
        )
        return bool(result["written"])

    def notes_delete(self, key: str) -> None:
        self._connection.ask({"op": "notes_delete", "key": key})

    def notes_list(self, prefix: str) -> list[str]:
        return list(self._connection.ask({"op": "notes_list", "prefix": prefix})["keys"])

    def close(self) -> None:
        """Cancel running operations, let the host save and end it. Safe to call twice, and when the host is dead."""
        self._connection.end_input()
        try:
            self._process.wait(CLOSE_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._connection.join()


def _spawn(binary: Path, environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return subprocess.Popen(
            [str(binary), "-log", str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as exc:
        raise OutsideError(
            f"the engine host does not start: {exc.strerror}",
            code="engine.start",
            where=str(binary),
            hint="aiinfra toolchain verify says what is wrong with it",
        ) from exc


def _pending(raw: Sequence[Mapping[str, str]]) -> list[PendingOperation]:
    return [PendingOperation(one["urn"], one["operation"]) for one in raw]
