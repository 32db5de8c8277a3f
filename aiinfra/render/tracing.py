"""A program's inputs without the world: each late value that is not known remembers from where it would come.

Pulumi carries along from which resources a value comes; here a stack or a secret source poses as a resource, so that
the recording can tell for each property why it is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pulumi import Output, export
from pydantic import BaseModel

from aiinfra.engine.binding import Parts, Resolve, exports_of, run_program, with_outputs
from aiinfra.engine.pulumi_names import DependencyResource, OutputData, data_of, output_from
from aiinfra.stack import Inputs, Outputs, Ref, SecretSource, StackContext, StackType

STACK_SOURCE = "urn:aiinfra:stack:"
SECRET_SOURCE = "urn:aiinfra:secret:"


def program(kind: StackType[Any, Any], context: StackContext, inputs: Inputs, resolve: Resolve) -> Callable[[], None]:
    """As `aiinfra.engine.binding.bind`, with the sources of late values traced."""

    def run() -> None:
        made = run_program(kind, context, _traced(with_outputs(inputs, None, resolve), inputs))
        for name, value in exports_of(made).items():
            export(name, value)

    return run


def _traced(value: Any, written: Any) -> Any:
    """`value` is `written` with its late values replaced; each of those gets its source."""
    if isinstance(written, Ref):
        return _from(value, STACK_SOURCE + written.stack)
    if isinstance(written, SecretSource):
        return _from(value, f"{SECRET_SOURCE}{written.scheme}:{written.name}")
    if isinstance(written, BaseModel):
        fields = {name: _traced(getattr(value, name), getattr(written, name)) for name in type(written).model_fields}
        return type(written).model_construct(written.model_fields_set, **fields)
    if isinstance(written, Mapping):
        return {key: _traced(value[key], part) for key, part in written.items()}
    if isinstance(written, list | tuple):
        return type(written)(_traced(got, part) for got, part in zip(value, written, strict=True))
    return value


def _from(value: Any, source: str) -> Any:
    if isinstance(value, Outputs):
        fields = {name: _from(getattr(value, name), source) for name in type(value).model_fields}
        return type(value).model_construct(**fields)
    if isinstance(value, Parts):
        inner: Any = value.parts
        if isinstance(inner, Mapping):
            return Parts.of({key: _from(part, source) for key, part in inner.items()})
        return Parts.of([_from(part, source) for part in inner])
    return output_from(Output, _sourced(value, source)) if isinstance(value, Output) else value


async def _sourced(output: Output[Any], source: str) -> OutputData[Any]:
    data = await data_of(output)
    poser = DependencyResource(source)
    return OutputData({*data.resources, poser}, data.value, data.is_known, data.is_secret)
