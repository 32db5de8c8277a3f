"""The engine host as this process sees it: started, asked, heard, ended.

One reader thread hears all replies; callers may be on any thread. The host has its own session, so that Ctrl-C on the
terminal reaches only us. The protocol is in `host/PROTOCOL.md`. Imports neither pulumi nor grpc.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiinfra.engine.host_line import EngineError, Line, Pending
from aiinfra.engine.host_records import (
    FailedResource,
    HostSettings,
    ImportedResource,
    Operation,
    OperationResult,
    PendingOperation,
    Plugin,
    StackLock,
    tree_map,
)
from aiinfra.engine.wire import Tree
from aiinfra.errors import OutsideError
from aiinfra.model.state_url import redact_url

PROTOCOL: Final = 1
CLOSE_LIMIT: Final = 600.0
"""Seconds to wait for operations that still end when the host is closed: a cloud may take minutes to answer."""

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
    "Plugin",
    "StackLock",
]


@dataclass(frozen=True, slots=True)
class OperationHandle:
    """An operation that runs."""

    _line: Line
    _pending: Pending

    def result(self, timeout: float | None = None) -> OperationResult:
        """Wait for the end. Raises `TimeoutError` after `timeout` seconds, `EngineError` when the host died."""
        return OperationResult.of(self._pending.reply(timeout))

    def wait(self) -> None:
        """Until it has ended, however that is."""
        wait([self._pending.answer])

    def cancel(self) -> None:
        """Finish the steps that run, save, stop. Does nothing when the operation has ended."""
        self._line.post({"op": "cancel", "target": self._pending.id})

    def terminate(self) -> None:
        """Stop now; what runs is left as a pending operation."""
        self._line.post({"op": "terminate", "target": self._pending.id})


@dataclass(slots=True)
class EngineHost:
    """A running host. Every method raises `EngineError` when it refuses or is gone."""

    _process: subprocess.Popen[bytes]
    _line: Line

    @classmethod
    def start(cls, binary: Path, settings: HostSettings, log: Path) -> EngineHost:
        """Start a host; its key is derived while the caller goes on. `log` is appended to."""
        process = _spawn(binary, settings.environ, log)
        host = cls(process, Line.over(process, log, redact_url(settings.backend_url)))
        with ExitStack() as undo:
            undo.callback(host.close)
            undo.callback(process.kill)
            host._open(binary, settings)
            undo.pop_all()
        return host

    def _open(self, binary: Path, settings: HostSettings) -> None:
        spoken = self._line.greeting().get("protocol")
        if spoken != PROTOCOL:
            raise OutsideError(
                f"the engine host speaks protocol {spoken}, not {PROTOCOL}",
                code="engine.protocol",
                where=str(binary),
                hint="run aiinfra toolchain install",
            )
        self._line.ask({"op": "open", "settings": settings.as_json()})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def operate(self, op: Operation, on_event: OnEngineEvent = lambda event: None) -> OperationHandle:
        """Start an operation; `on_event` hears Pulumi's engine events (apitype.EngineEvent) on the reader thread."""
        return OperationHandle(self._line, self._line.post(op.as_json(), on_event))

    def ready(self, *, make: bool = False) -> None:
        """Wait until the environment's secrets are open; raises why they are not.

        `make`: give an environment that has no salt or data key one.
        """
        self._line.ask({"op": "ready", "make": make})

    def attach(self, providers: Mapping[str, int]) -> None:
        """Name the providers that this process serves, in place of those in the settings, for operations to come."""
        self._line.ask({"op": "attach", "attached": dict(providers)})

    def outputs(self, stack: str) -> Mapping[str, Tree]:
        """What the stack's last operation left; empty for a stack that does not exist."""
        return tree_map(self._line.ask({"op": "outputs", "stack": stack})["outputs"])

    def stacks(self) -> list[str]:
        return list(self._line.ask({"op": "stacks"})["stacks"])

    def remove_stack(self, stack: str, *, force: bool = False) -> bool:
        """Forget a stack that holds no resources (`force`: any). False when there is none."""
        return bool(self._line.ask({"op": "remove_stack", "stack": stack, "force": force})["removed"])

    def export(self, stack: str) -> Mapping[str, Any]:
        """The stack's state in Pulumi's own format, secrets encrypted."""
        deployment: Mapping[str, Any] = self._line.ask({"op": "export", "stack": stack})["deployment"]
        return deployment

    def pending(self, stack: str) -> list[PendingOperation]:
        return _pending(self._line.ask({"op": "pending", "stack": stack})["pending"])

    def repair(self, stack: str) -> int:
        """Drop the stack's pending operations; how many they were. Whoever calls asks the world what became of them."""
        return len(self._line.ask({"op": "repair", "stack": stack})["dropped"])

    def locks(self) -> list[StackLock]:
        found = self._line.ask({"op": "locks"})["locks"]
        return [
            StackLock(one["stack"], one["pid"], one["host"], one["user"], datetime.fromisoformat(one["since"]))
            for one in found
        ]

    def clear_locks(self, stack: str) -> int:
        """Delete the stack's locks; how many they were. Whoever calls knows that their holders are dead."""
        return len(self._line.ask({"op": "clear_locks", "stack": stack})["cleared"])

    def notes_get(self, key: str) -> bytes | None:
        told = self._line.ask({"op": "notes_get", "key": key})
        return base64.b64decode(told["value"] or "") if told["found"] else None

    def notes_put(self, key: str, value: bytes) -> None:
        self._line.ask({"op": "notes_put", "key": key, "value": base64.b64encode(value).decode()})

    def notes_create(self, key: str, value: bytes) -> bool:
        """Write only when the key is free; False when it is taken."""
        told = self._line.ask(
            {"op": "notes_put", "key": key, "value": base64.b64encode(value).decode(), "absent": True}
        )
        return bool(told["written"])

    def notes_delete(self, key: str) -> None:
        self._line.ask({"op": "notes_delete", "key": key})

    def notes_list(self, prefix: str) -> list[str]:
        return list(self._line.ask({"op": "notes_list", "prefix": prefix})["keys"])

    def install_plugins(self, plugins: Sequence[Plugin], on_progress: Callable[[str], None]) -> list[str]:
        """Fetch the official plugins that are missing; the names of those that were."""

        def hear(event: Mapping[str, Any]) -> None:
            if said := event.get("stdoutEvent"):
                on_progress(said["message"])

        wanted = [{"name": one.name, "version": one.version, "server": one.server} for one in plugins]
        return list(self._line.ask({"op": "install_plugins", "plugins": wanted}, hear)["installed"])

    def close(self) -> None:
        """Cancel what runs, let it be saved, end the host. Safe to call twice, and when it is dead."""
        self._line.end_input()
        try:
            self._process.wait(CLOSE_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._line.join()


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
            hint="run aiinfra toolchain verify",
        ) from exc


def _pending(raw: Sequence[Mapping[str, str]]) -> list[PendingOperation]:
    return [PendingOperation(one["urn"], one["operation"]) for one in raw]
