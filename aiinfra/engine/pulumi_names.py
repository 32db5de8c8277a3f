"""Every name of the Pulumi SDK that is not part of its public interface, in one place.

`tests/integration/engine/test_pulumi_names.py` holds them against the pinned SDK (3.272.0).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi import Output
from pulumi.output import UNKNOWN, Unknown, _OutputData, _OutputToStringError, contains_unknowns
from pulumi.resource import DependencyResource
from pulumi.runtime import reset_options, run_in_stack
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    resource_pb2,
    resource_pb2_grpc,
)

__all__ = [
    "UNKNOWN",
    "DependencyResource",
    "OutputData",
    "OutputToStringError",
    "QuietEngine",
    "Unknown",
    "contains_unknowns",
    "data_of",
    "engine_pb2",
    "engine_pb2_grpc",
    "language_pb2",
    "language_pb2_grpc",
    "output_from",
    "plugin_pb2",
    "reset_options",
    "resource_pb2",
    "resource_pb2_grpc",
    "run_in_stack",
]

O = TypeVar("O", bound=Output[Any])  # noqa: E741  an Output
OutputData = _OutputData
OutputToStringError = _OutputToStringError


def data_of(output: Output[Any]) -> Awaitable[_OutputData[Any]]:
    """Return what an Output resolves to: value, known, secret, the resources it comes from."""
    return output._data


def output_from(kind: type[O], data: Awaitable[_OutputData[Any]]) -> O:
    """Return an Output (of a class of ours) that resolves to `data`. Only while a program runs."""
    made = kind._from_data(data)
    assert isinstance(made, kind)
    return made


class QuietEngine:
    """The engine's service as our programs see it, without debug messages.

    The SDK sends some 25 of them for each stack, one call each, and nothing reads them.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = engine_pb2_grpc.EngineStub(channel)

    def Log(self, request: Any) -> Any:
        if request.severity == engine_pb2.DEBUG:
            return empty_pb2.Empty()
        return self._stub.Log(request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stub, name)
