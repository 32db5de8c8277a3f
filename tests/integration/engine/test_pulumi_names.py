"""The names of the SDK that are not its public interface, held against the SDK that is installed."""

from __future__ import annotations

import asyncio
import inspect
from importlib.metadata import version

import pulumi

from aiinfra.engine import pulumi_names


def test_the_sdk_is_the_one_that_was_read() -> None:
    assert version("pulumi") == "3.272.0"


def test_an_output_resolves_to_what_we_read_and_write() -> None:
    fields = pulumi_names.OutputData.__dataclass_fields__
    assert list(fields) == ["resources", "value", "is_known", "is_secret"]

    async def there_and_back() -> object:
        async def data() -> pulumi_names.OutputData[str]:
            return pulumi_names.OutputData(set(), "value", is_known=True, is_secret=True)

        made = pulumi_names.output_from(pulumi.Output, data())
        return (await pulumi_names.data_of(made)).value, await made.is_secret()

    assert asyncio.run(there_and_back()) == ("value", True)


def test_a_value_with_an_unknown_in_it_is_told() -> None:
    assert pulumi_names.contains_unknowns({"deep": [pulumi_names.UNKNOWN]})
    assert isinstance(pulumi_names.UNKNOWN, pulumi_names.Unknown)


def test_the_runtime_is_set_by_the_names_that_we_use() -> None:
    taken = set(inspect.signature(pulumi_names.reset_options).parameters)
    assert taken >= {"project", "stack", "parallel", "engine_address", "monitor_address", "preview", "organization"}
    assert inspect.iscoroutinefunction(pulumi_names.run_in_stack)


def test_the_messages_of_the_language_runtime_have_our_fields() -> None:
    asked = set(pulumi_names.language_pb2.RunRequest.DESCRIPTOR.fields_by_name)
    assert asked >= {"project", "stack", "monitor_address", "args", "parallel", "dryRun", "organization"}
    assert set(pulumi_names.language_pb2.RunResponse.DESCRIPTOR.fields_by_name) >= {"error", "bail"}
