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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import grpc
import pulumi
from pulumi import log as engine_log

from aiinfra.engine.binding import bind, declared
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
"""Threads that the server may use; made when needed. One Run holds one until its program ends."""


@dataclass(slots=True)
class _Runtime(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs the program of whatever stack is asked for."""

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
        _settle(request, engine)
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4))
        loop.set_exception_handler(_unobserved)
        try:
            loop.run_until_complete(run_in_stack(program))
        except grpc.RpcError as exc:
            # The monitor goes away when a resource failed or the run was cancelled: the engine has said why.
            if exc.code() not in GONE:
                return self._failed(request.stack, exc, f"Pulumi's engine refused: {exc.details()}")
        except BaseException as exc:  # noqa: BLE001  a program may raise anything; none of it may reach stderr
            return self._failed(request.stack, exc, _sentence(exc))
        finally:
            _close(loop)
        return language_pb2.RunResponse()

    def _failed(self, stack: str, exc: BaseException, sentence: str) -> Any:
        """Say it once, as an error of the run; `bail` keeps the engine from saying it again."""
        if self.log is not None:
            _append(self.log, stack, exc)
        with suppress(grpc.RpcError):  # an engine that is gone has nobody to tell
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


def _settle(request: Any, engine: grpc.Channel) -> None:
    """Point Pulumi's context variables of this thread at the run that was asked for."""
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
    """Cancel what a failed program left waiting, so that nothing complains on stderr when it is collected."""
    loop.run_until_complete(_abandon(asyncio.all_tasks(loop)))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _abandon(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _unobserved(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A failure that no task awaited: of the monitor it ends the run, of anything else Pulumi awaits it itself."""
    if isinstance(context.get("exception"), grpc.RpcError):
        loop.stop()


def _sentence(exc: BaseException) -> str:
    if isinstance(exc, AiinfraError):
        return exc.record.message
    if isinstance(exc, pulumi.RunError):
        return str(exc)
    frames = _own(traceback.extract_tb(exc.__traceback__))
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    if isinstance(exc, OutputToStringError):
        return f"the program failed{place}: an Output is no text yet: join it with pulumi.Output.concat, or use .apply"
    said = " ".join(str(exc).split())
    return f"the program failed{place}: {type(exc).__name__}: {said}"


def _own(frames: Sequence[traceback.FrameSummary]) -> Sequence[traceback.FrameSummary]:
    """The frames of the kind's own folder: what its code called is of no help to who wrote it."""
    caller = (declared.__code__.co_filename, declared.__code__.co_name)
    entry = next((at for at, frame in enumerate(frames, 1) if (frame.filename, frame.name) == caller), 0)
    folders = {Path(frame.filename).parent for frame in frames[entry : entry + 1]}
    return [frame for frame in frames if Path(frame.filename).parent in folders] if entry else frames


def _append(log: Path, stack: str, exc: BaseException) -> None:
    """Frames and type only: a message may hold a value."""
    frames = "".join(traceback.format_tb(exc.__traceback__))
    with log.open("a", encoding="utf-8") as file:
        file.write(f"program of {stack}: {type(exc).__name__}\n{frames}")
