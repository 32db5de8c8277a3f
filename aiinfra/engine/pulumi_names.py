"""Every name of the Pulumi SDK that is not its public interface, in one place.

`tests/integration/engine/test_pulumi_names.py` holds them against the pinned SDK (3.272.0).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from pulumi import Output
from pulumi.output import UNKNOWN, Unknown, _OutputData, contains_unknowns
from pulumi.runtime import reset_options, run_in_stack
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

__all__ = [
    "UNKNOWN",
    "OutputData",
    "Unknown",
    "contains_unknowns",
    "data_of",
    "language_pb2",
    "language_pb2_grpc",
    "output_from",
    "plugin_pb2",
    "reset_options",
    "run_in_stack",
]

O = TypeVar("O", bound=Output[Any])  # noqa: E741  an Output
OutputData = _OutputData


def data_of(output: Output[Any]) -> Awaitable[_OutputData[Any]]:
    """What an Output resolves to: value, known, secret, the resources it comes from."""
    return output._data


def output_from(kind: type[O], data: Awaitable[_OutputData[Any]]) -> O:
    """An Output (of a class of ours) that resolves to `data`. Only while a program runs."""
    made = kind._from_data(data)
    assert isinstance(made, kind)
    return made
