"""Bind a stack's program to Pulumi: unresolved inputs become Outputs, its returned record the stack's outputs.

What is known, unknown and secret is kept at any depth. Pulumi's Output has one flag of each for a whole value; `Parts`
keeps them per leaf where a value has several.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast, get_args

from pulumi import Output, export
from pulumi.runtime import register_stack_transformation
from pydantic import BaseModel

from aiinfra.catalog import domain_of
from aiinfra.engine import pulumi_names
from aiinfra.engine.pulumi_names import OutputData, contains_unknowns, data_of, output_from
from aiinfra.engine.wire import UNKNOWN, Secret, Tree, Unknown
from aiinfra.errors import StepError
from aiinfra.stack import SECRET, Inputs, Outputs, Ref, SecretSource, StackContext, StackType

Resolve: TypeAlias = Callable[[Ref | SecretSource], Tree]


def bind(kind: StackType[Any, Any], context: StackContext, inputs: Inputs, resolve: Resolve) -> Callable[[], None]:
    """Return a stack's program as Pulumi can run it. While it runs, `resolve` is called for each unresolved value."""

    def run() -> None:
        for name, value in exports_of(run_program(kind, context, with_outputs(inputs, None, resolve))).items():
            export(name, value)

    return run


def run_program(kind: StackType[Any, Any], context: StackContext, inputs: Any) -> Outputs:
    """Run the kind's program within Pulumi's stack and return its outputs.

    Raises `StepError` when it declares a resource of a domain that the kind does not name, or returns anything but the
    kind's outputs.
    """
    register_stack_transformation(lambda resource: _refuse_unnamed_domain(kind, resource.type_))
    returned = kind.load_program()(context, inputs)
    if isinstance(returned, kind.outputs):
        return cast("Outputs", returned)
    name = kind.outputs.__name__
    raise StepError(
        f"{kind.kind}: its program returned {type(returned).__name__}, not {name}; end it with {name}.of(…)"
    )


def _refuse_unnamed_domain(kind: StackType[Any, Any], token: str) -> None:
    """Raise `StepError` for a resource of a domain that is not verified, observed, swept or digested for the kind."""
    domain = domain_of(token)
    if domain and domain not in kind.domains:
        names = [f'"{name}"' for name in (*kind.domains, domain)]
        written = f"({', '.join(names)})" if len(names) > 1 else f"({names[0]},)"
        raise StepError(
            f"the kind {kind.kind} declares {token}, a resource of the domain {domain}, which it does not name"
            f" (write domains={written} in its StackType)"
        )


def with_outputs(value: Any, annotation: Any, resolve: Resolve) -> Any:
    """Return `value` with its references and secret sources replaced; what holds none is returned as it is."""
    if isinstance(value, Ref | SecretSource):
        return _resolved(value, annotation, resolve)
    if isinstance(value, BaseModel):
        fields = {
            name: with_outputs(getattr(value, name), info.annotation, resolve)
            for name, info in type(value).model_fields.items()
        }
        return type(value).model_construct(value.model_fields_set, **fields)
    if isinstance(value, Mapping):
        return {key: with_outputs(part, annotation, resolve) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_outputs(part, annotation, resolve) for part in value)
    return value


def _resolved(unresolved: Ref | SecretSource, annotation: Any, resolve: Resolve) -> Any:
    tree = resolve(unresolved)
    if isinstance(unresolved, SecretSource):
        return output_of(tree if isinstance(tree, Secret) else Secret(tree))
    record = _record_of(annotation)
    whole = isinstance(tree, Unknown) and (not unresolved.output or annotation is record)
    if record is not None and (isinstance(tree, Mapping) or whole):
        return record_of(record, tree)
    return output_of(tree)


def record_of(record: type[Outputs], tree: Tree) -> Outputs:
    """Return another stack's outputs as their record type, each field an Output."""
    fields: dict[str, Any] = {}
    for name, info in record.model_fields.items():
        part = tree.get(name) if isinstance(tree, Mapping) else UNKNOWN
        inner = _record_of(info.annotation)
        if _is_secret(info.annotation, info.metadata):
            fields[name] = output_of(part if isinstance(part, Secret) else Secret(part))
        elif inner is not None and isinstance(part, Mapping):
            fields[name] = record_of(inner, part)
        else:
            fields[name] = output_of(part)
    return record.model_construct(**fields)


def output_of(tree: Tree) -> Output[Any]:
    """Return a tree as an Output with the same parts known, unknown and secret."""
    if isinstance(tree, Unknown):
        return _unknown(secret=False)
    if isinstance(tree, Secret):
        return _secret(tree.value)
    if _has_marks(tree):
        return Parts.of(_each(tree, lambda part: output_of(part) if _has_marks(part) else part))
    return Output.from_input(tree)


class Parts(Output[Any]):
    """A map or list of which parts are secret or unknown.

    Passed on as it is (as a resource's property, to `export`) each part keeps its own mark; `apply` and the like see
    one plain value, secret when a part is, unknown when a part is.
    """

    parts: dict[str, Any] | list[Any]

    @classmethod
    def of(cls, parts: dict[str, Any] | list[Any]) -> Output[Any]:
        async def known() -> OutputData[Any]:
            return OutputData(set(), parts, is_known=True, is_secret=False)

        returned = output_from(cls, known())
        returned.parts = parts
        return returned

    def apply(self, func: Callable[[Any], Any], run_with_unknowns: bool = False) -> Output[Any]:
        return self._whole().apply(func, run_with_unknowns)

    def __getitem__(self, key: Any) -> Output[Any]:
        return Output.from_input(self.parts[key])

    async def future(self, with_unknowns: bool | None = None) -> Any:
        return await self._whole().future(with_unknowns)

    async def is_known(self) -> bool:
        return await self._whole().is_known()

    async def is_secret(self) -> bool:
        return await self._whole().is_secret()

    def _whole(self) -> Output[Any]:
        return Output.from_input(self.parts)


def exports_of(record: Outputs) -> dict[str, Any]:
    """Return the exports of the record that a program returned, by name; SECRET fields become secret."""
    found: dict[str, Any] = {}
    for name, info in type(record).model_fields.items():
        value = _open(getattr(record, name))
        found[name] = _secret_leaves(value) if _is_secret(info.annotation, info.metadata) else value
    return found


def _open(value: Any) -> Any:
    """Return the value as plain maps, lists and Outputs of leaves, so that Pulumi keeps the mark of each leaf."""
    if isinstance(value, Parts):
        return _open(value.parts)
    if isinstance(value, Output):
        return output_from(Output, _data_by_parts(value))
    if isinstance(value, BaseModel):
        return {name: _open(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping | list | tuple):
        return _each(value, _open)
    return value


async def _data_by_parts(output: Output[Any]) -> OutputData[Any]:
    """Return an Output's data with its known parts kept: in a preview one part of a map may be unknown."""
    data = await data_of(output)
    if isinstance(data.value, pulumi_names.Unknown) or not contains_unknowns(data.value):
        return data

    def part(value: Any) -> Any:
        if isinstance(value, pulumi_names.Unknown):
            return _unknown(secret=data.is_secret)
        return _each(value, part) if isinstance(value, Mapping | list | tuple) else value

    return OutputData(data.resources, part(data.value), is_known=True, is_secret=data.is_secret)


def _secret_leaves(value: Any) -> Any:
    return _each(value, _secret_leaves) if isinstance(value, Mapping | list | tuple) else Output.secret(value)


def _unknown(*, secret: bool) -> Output[Any]:
    async def data() -> OutputData[Any]:
        return OutputData(set(), pulumi_names.UNKNOWN, is_known=False, is_secret=secret)

    return output_from(Output, data())


def _secret(tree: Tree) -> Output[Any]:
    if isinstance(tree, Unknown):
        return _unknown(secret=True)
    if isinstance(tree, Secret):
        return _secret(tree.value)
    if _has_marks(tree):
        return Parts.of(_each(tree, _secret))
    return Output.secret(tree)


def _has_marks(tree: Tree) -> bool:
    """Return whether a part of the tree is secret or unknown."""
    if isinstance(tree, Mapping):
        return any(map(_has_marks, tree.values()))
    if isinstance(tree, list | tuple):
        return any(map(_has_marks, tree))
    return isinstance(tree, Secret | Unknown)


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: change(part) for key, part in value.items()}
    assert isinstance(value, Sequence)
    return [change(part) for part in value]


def _record_of(annotation: Any) -> type[Outputs] | None:
    """Return the record type in a field's type, also within a union or a list."""
    return next(
        (part for part in _inside(annotation) if inspect.isclass(part) and issubclass(part, Outputs)),
        None,
    )


def _is_secret(annotation: Any, metadata: Sequence[Any]) -> bool:
    return SECRET in metadata or any(SECRET in getattr(part, "__metadata__", ()) for part in _inside(annotation))


def _inside(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _inside(argument)
