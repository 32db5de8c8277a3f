"""Programs with the mistakes that their authors make."""

from __future__ import annotations

from typing import Any

from pulumi_kubernetes.core.v1 import ConfigMap

from aiinfra.domains.kubernetes.resources.objects import Bundle
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


def bundle(context: StackContext, inputs: Taken) -> Given:
    Bundle(context, "notes", cluster=inputs.cluster, objects=[])
    return Given.of(name=context.stack)


def config_map(context: StackContext, inputs: Taken) -> Given:
    ConfigMap("facts", data={})
    return Given.of(name=context.stack)


def nothing(context: StackContext, inputs: Taken) -> Any:
    return None
