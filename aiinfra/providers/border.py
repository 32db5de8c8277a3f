"""Turn our errors into gRPC statuses: one line of text each, without traceback or secret.

Statuses are chosen for how the engine reads them (pulumi/pulumi sdk/go/common/resource/plugin/provider_plugin.go,
`resourceStateAndError`): Unknown, Internal and DataLoss mean that the state of the world is unknown.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from types import TracebackType

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.status_pb2 import Status
from pulumi.runtime.proto import provider_pb2 as pp

from aiinfra.dataclass import dataclass
from aiinfra.engine.failure import parse_failure, render_failure
from aiinfra.engine.wire import Tree
from aiinfra.errors import AiinfraError, StepError
from aiinfra.providers.contract import PartlyMade
from aiinfra.providers.marshal import struct_of
from aiinfra.providers.masking import mask
from aiinfra.waiting import Stopped

log = logging.getLogger("aiinfra.providers")
log.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class _RpcStatus:
    """What `ServicerContext.abort_with_status` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True)
class Border:
    """`with Border(context, about, trees): …` ends the request with the status of the error that its body raises."""

    context: grpc.ServicerContext
    about: str
    secrets: Sequence[Tree] = field(default_factory=list, repr=False)
    """Trees whose secret values must not appear in any text."""
    log: Path | None = None
    """The file for the traceback of a bug; None sends it to the logger."""

    def __enter__(self) -> Border:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and self.context.code() is None:
            self.context.abort_with_status(self._status(error))

    def _status(self, error: Exception) -> _RpcStatus:
        match error:
            case PartlyMade():
                return self._partial_status(error)
            case AiinfraError():
                code = grpc.StatusCode.UNAVAILABLE if error.record.transient else grpc.StatusCode.FAILED_PRECONDITION
                return _RpcStatus(code, self._mask(render_failure(error)))
            case Stopped():
                return _RpcStatus(grpc.StatusCode.CANCELLED, self._mask(failure_reason(error)))
        self._log_bug(f"{self.about} failed\n{''.join(traceback.format_exception(error))}")
        hint = f"report it with {self.log or 'the log of this run'}"
        bug = StepError(f"{self.about}: {type(error).__name__}: {error}", code="bug", hint=hint)
        return _RpcStatus(grpc.StatusCode.INTERNAL, self._mask(render_failure(bug)))

    def _log_bug(self, text: str) -> None:
        if self.log is None:
            log.error("%s", self._mask(text))
            return
        with suppress(OSError), self.log.open("a", encoding="utf-8") as file:
            file.write(self._mask(text))

    def _partial_status(self, error: PartlyMade) -> _RpcStatus:
        """Return the status on which the engine keeps the resource as not initialised and updates it next time."""
        reasons = [self._mask(_as_failure(reason, error.__cause__)) for reason in error.reasons]
        detail = AnyMessage()
        detail.Pack(
            pp.ErrorResourceInitFailed(
                id=error.made.id,
                properties=struct_of(error.made.outputs),
                reasons=reasons,
                inputs=struct_of(error.made.inputs or {}),
            )
        )
        status = Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reasons[0], details=[detail])
        metadata = (("grpc-status-details-bin", status.SerializeToString()),)
        return _RpcStatus(grpc.StatusCode.UNKNOWN, reasons[0], metadata)

    def _mask(self, text: str) -> str:
        return mask(text, *self.secrets)


def failure_reason(error: AiinfraError | Stopped) -> str:
    """Return the reason line of a `PartlyMade` for the error that ended the work."""
    if isinstance(error, Stopped):
        return render_failure(StepError(f"stopped while waiting for {error}", code="run.interrupted"))
    return render_failure(error)


def _as_failure(reason: str, cause: BaseException | None) -> str:
    """Return a reason in the form of `engine.failure`, with the code and the hint of its cause."""
    if parse_failure(reason):
        return reason
    record = cause.record if isinstance(cause, AiinfraError) else StepError(reason).record
    error = StepError(reason, code=record.code, hint=record.hint, transient=record.transient)
    return render_failure(error)
