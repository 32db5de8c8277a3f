"""Stack programs as Pulumi runs them: one LanguageRuntime server for all stacks of this process.

What `Run` must do is what `pulumi.automation._server.LanguageServer.Run` of the SDK does (3.272.0).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any, Final, cast

import grpc
import pulumi
from pulumi import log as engine_log

from aiinfra.dataclass import dataclass
from aiinfra.engine.binding import bind, run_program
from aiinfra.engine.pulumi_names import (
    OutputToStringError,
    QuietEngine,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    reset_options,
    run_in_stack,
)
from aiinfra.errors import AiinfraError
from aiinfra.world import raise_on_outputs_as_text

__all__ = ["Program", "ProgramServer", "bind"]

Program = Callable[[], None]
MESSAGE_LIMIT: Final = 400 * 1024 * 1024
"""Bytes; Pulumi's own limit (sdk/go/common/util/rpcutil GrpcChannelOptions)."""
GONE: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
MOST_AT_ONCE: Final = 1024
"""Threads that the server may use; started when needed. One Run holds one until its program ends."""


@dataclass(slots=True)
class _Runtime(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs the program of the requested stack."""

    log: Path | None
    programs: dict[str, Program] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo()

    def Run(self, request: Any, context: Any) -> Any:
        with self.lock:
            program = self.programs.get(request.stack)
        if program is None:
            return language_pb2.RunResponse(error=f"stack {request.stack} has no program here")
        return contextvars.copy_context().run(self._run, request, program)

    def _run(self, request: Any, program: Program) -> Any:
        with grpc.insecure_channel(request.args[0]) as engine:
            return self._run_with(engine, request, program)

    def _run_with(self, engine: grpc.Channel, request: Any, program: Program) -> Any:
        _configure_pulumi(request, engine)
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4))
        loop.set_exception_handler(_on_unobserved_failure)
        try:
            loop.run_until_complete(run_in_stack(program))
        except grpc.RpcError as exc:
            # The monitor goes away when a resource failed or the run was cancelled; the engine has reported why.
            if exc.code() not in GONE:
                return self._failed(request.stack, exc, f"Pulumi's engine refused: {exc.details()}")
        except BaseException as exc:  # noqa: BLE001  a program may raise anything; none of it may reach stderr
            return self._failed(request.stack, exc, _error_text(exc))
        finally:
            _close(loop)
        return language_pb2.RunResponse()

    def _failed(self, stack: str, exc: BaseException, sentence: str) -> Any:
        """Report the failure once, as an error of the run; `bail` keeps the engine from reporting it again."""
        if self.log is not None:
            _log_traceback(self.log, stack, exc)
        with suppress(grpc.RpcError):  # an engine that is gone reports nothing
            engine_log.error(sentence)
        return language_pb2.RunResponse(error=sentence, bail=True)


class ProgramServer:
    """Serves the programs of all stacks of this process on 127.0.0.1. Thread-safe.

    `log` receives the traceback of a program that fails, without its values.
    """

    def __init__(self, log: Path | None = None) -> None:
        # As Pulumi's own program runner does: a task that nobody awaited is reported by the one that did fail.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise_on_outputs_as_text()
        self._runtime = _Runtime(log)
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="program")
        limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
        self._server = grpc.server(self._pool, options=limits)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(self._runtime, self._server)
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def register(self, stack: str, run: Program) -> None:
        with self._runtime.lock:
            self._runtime.programs[stack] = run

    def unregister(self, stack: str) -> None:
        with self._runtime.lock:
            self._runtime.programs.pop(stack, None)

    def close(self) -> None:
        self._server.stop(grace=None).wait()
        self._pool.shutdown()


def _configure_pulumi(request: Any, engine: grpc.Channel) -> None:
    """Set Pulumi's context variables of this thread for the requested run."""
    reset_options(
        project=request.project,
        stack=request.stack,
        parallel=request.parallel,
        engine_address=cast("Any", QuietEngine(engine)),
        monitor_address=request.monitor_address,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what a failed program left waiting, so that nothing is printed to stderr when it is collected."""
    loop.run_until_complete(_abandon(asyncio.all_tasks(loop)))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _abandon(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _on_unobserved_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Stop the loop for a failure of the monitor that no task awaited; Pulumi awaits all others itself."""
    if isinstance(context.get("exception"), grpc.RpcError):
        loop.stop()


def _error_text(exc: BaseException) -> str:
    if isinstance(exc, AiinfraError):
        return exc.record.message
    if isinstance(exc, pulumi.RunError):
        return str(exc)
    frames = _frames_of_kind(traceback.extract_tb(exc.__traceback__))
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    if isinstance(exc, OutputToStringError):
        return f"the program failed{place}: an Output is no text yet: join it with pulumi.Output.concat, or use .apply"
    message = " ".join(str(exc).split())
    return f"the program failed{place}: {type(exc).__name__}: {message}"


def _frames_of_kind(frames: Sequence[traceback.FrameSummary]) -> Sequence[traceback.FrameSummary]:
    """Return the frames in the kind's own folder, as those of what it called do not help its author."""
    caller = (run_program.__code__.co_filename, run_program.__code__.co_name)
    entry = next((at for at, frame in enumerate(frames, 1) if (frame.filename, frame.name) == caller), 0)
    folders = {Path(frame.filename).parent for frame in frames[entry : entry + 1]}
    return [frame for frame in frames if Path(frame.filename).parent in folders] if entry else frames


def _log_traceback(log: Path, stack: str, exc: BaseException) -> None:
    """Append the frames and the type of an error to the log; its message may hold a secret."""
    frames = "".join(traceback.format_tb(exc.__traceback__))
    with log.open("a", encoding="utf-8") as file:
        file.write(f"program of {stack}: {type(exc).__name__}\n{frames}")
