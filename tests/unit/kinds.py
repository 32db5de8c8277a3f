"""Tiny kinds for tests: a cluster, a bigger one, and an app that takes values of every sort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aiinfra.catalog import Catalog
from aiinfra.stack import (
    SECRET,
    Input,
    Inputs,
    Linked,
    Outputs,
    StackName,
    StackType,
    Surroundings,
    Violation,
)


class Size(BaseModel):
    model_config = ConfigDict(frozen=True)

    nodes: Input[int]
    zone: Input[str]


class ClusterGiven(Outputs):
    kubeconfig: Annotated[Input[str], SECRET]
    server: Input[str]
    ready: Input[bool]
    share: Input[float]
    zones: Input[list[str]]
    labels: Input[dict[str, str]]
    tier: Input[Literal["gold", "silver"]]
    note: Input[str | None]
    size: Size
    extra: Any


class BigClusterGiven(ClusterGiven):
    racks: Input[int]


class ClusterTaken(Inputs):
    kubeconfig: Input[str] = ""
    region: str = "north"


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Door(Inputs):
    width: Annotated[int, Field(ge=1, le=9)] = 2
    colour: Colour = Colour.RED
    host: Input[str] = ""


class Circle(Inputs):
    shape: Literal["circle"]
    radius: int


class Square(Inputs):
    shape: Literal["square"]
    side: int


class AppTaken(Inputs):
    cluster: Linked[ClusterGiven]
    link: Linked[AppGiven] | Literal["none"] = "none"
    title: Input[str] = ""
    count: Input[int] = 1
    share: Input[float] = 0.5
    ready: Input[bool] = False
    zones: Input[Sequence[str]] = ()
    names: tuple[Input[str], ...] = ()
    settings: Mapping[str, Input[str]] = Field(default_factory=dict)
    tier: Input[Literal["gold", "silver", "iron"]] = "gold"
    size: Linked[Size] | None = None
    version: str = "1"
    pattern: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    doors: Annotated[tuple[Door, ...], Field(max_length=2)] = ()
    figure: Annotated[Circle | Square, Field(discriminator="shape")] | None = None
    password: Input[str] = ""
    loose: Mapping[str, Any] = Field(default_factory=dict)


class AppGiven(Outputs):
    url: Input[str]


class AppRules:
    def rules(self, inputs: AppTaken) -> Iterator[Violation]:
        if inputs.title == "forbidden":
            yield Violation(("title",), "this title is taken", "choose another")

    def rules_around(self, name: StackName, inputs: AppTaken, around: Surroundings) -> Iterator[Violation]:
        twins = [other for other, (_, theirs) in around.stacks.items() if other < name and theirs == inputs]
        if twins and inputs.title:
            yield Violation(("title",), f"{twins[0]} has this title already")


AppTaken.model_rebuild()

CLUSTER = StackType("cluster", "A cluster.", ClusterTaken, ClusterGiven, "none:none", connection=("kubeconfig",))
BIG = StackType("big_cluster", "A bigger cluster.", ClusterTaken, BigClusterGiven, "none:none")
APP = StackType("app", "An app.", AppTaken, AppGiven, "none:none", checks=AppRules())
CATALOG = Catalog.of(CLUSTER, BIG, APP)
