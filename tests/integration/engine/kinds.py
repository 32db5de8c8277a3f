"""Three kinds of stack for tests: what one gives, the next one passes on, the last one uses."""

from __future__ import annotations

from typing import Annotated, Any, cast

import pulumi
from pydantic import Field

from aiinfra.stack import SECRET, Input, Inputs, Linked, Outputs, StackContext, StackType
from tests.integration.engine.site import DoorResource


class Access(Outputs):
    """A record as other stacks see it."""

    name: Input[str]
    token: Annotated[Input[str], SECRET]
    settings: Input[dict[str, Any]]
    """Plain, secret and unknown leaves in one value."""


class SourceInputs(Inputs):
    name: str
    password: Input[str]


def source(context: StackContext, inputs: SourceInputs) -> Access:
    door = DoorResource("door", {"name": inputs.name, "password": inputs.password})
    settings = {
        "size": 3,
        "id": door.id,
        "nested": [{"password": pulumi.Output.secret("nested-secret"), "open": True}],
    }
    return Access.of(name=inputs.name, token=door.id.apply(lambda id: f"token-{id}"), settings=settings)


class RelayInputs(Inputs):
    access: Linked[Access]
    settings: Input[dict[str, Any]] = Field(default_factory=dict)
    labels: dict[str, Input[str]] = Field(default_factory=dict)


class Relayed(Outputs):
    access: Input[dict[str, Any]]
    settings: Input[dict[str, Any]]
    label: Input[str]


def relay(context: StackContext, inputs: RelayInputs) -> Relayed:
    access = {"name": inputs.access.name, "token": inputs.access.token}
    return Relayed.of(access=access, settings=inputs.settings, label=inputs.labels["of"])


class SinkInputs(Inputs):
    settings: Input[dict[str, Any]]
    token: Input[str]


class Sunk(Outputs):
    settings: Input[dict[str, Any]]
    size: Input[int]
    id: Input[str]
    sentence: Input[str]


def sink(context: StackContext, inputs: SinkInputs) -> Sunk:
    settings = cast("pulumi.Output[Any]", inputs.settings)
    DoorResource("door", {"settings": inputs.settings, "token": inputs.token})
    return Sunk.of(
        settings=inputs.settings,
        size=settings["size"],
        id=settings["id"],
        sentence=pulumi.Output.concat("size ", settings["size"].apply(str), " of ", context.stack),
    )


SOURCE = StackType("source", "", SourceInputs, Access, "tests.integration.engine.kinds:source")
RELAY = StackType("relay", "", RelayInputs, Relayed, "tests.integration.engine.kinds:relay")
SINK = StackType("sink", "", SinkInputs, Sunk, "tests.integration.engine.kinds:sink")
