"""Programs with the mistakes that their authors make."""

from __future__ import annotations

from typing import Any

from aiinfra.stack import Input, Inputs, Linked, Outputs, StackContext
from tests.unit.render.kinds import ClusterGiven


class Taken(Inputs):
    cluster: Linked[ClusterGiven]


class Given(Outputs):
    name: Input[str]


def typo(context: StackContext, inputs: Any) -> Given:
    return Given.of(name=inputs.txt)


def unknown_output(context: StackContext, inputs: Taken) -> Given:
    return Given.of(nam=context.stack)


def output_as_text(context: StackContext, inputs: Taken) -> Given:
    return Given.of(name=f"{inputs.cluster.uid}!!")


def plain_map(context: StackContext, inputs: Taken) -> Any:
    return {"name": context.stack}


def nothing(context: StackContext, inputs: Taken) -> Any:
    return None
