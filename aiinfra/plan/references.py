"""Checks that references fit the inputs that take them, by the types of the kinds alone, before anything exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from aiinfra.model.environment import StackEntry
from aiinfra.model.tree import Flaw, Loc, leaves
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.plan.types import MAPS, describe, field_names, find_field, fits, record_model, spots, spots_at
from aiinfra.stack import Outputs, Ref, SecretSource, StackName, StackType

Entries = Mapping[StackName, StackEntry]
Kinds = Mapping[str, StackType[Any, Any]]


def references(entry: StackEntry) -> Iterator[tuple[Loc, Ref]]:
    """Yield every reference in the inputs of a stack, with its path below the entry."""
    return ((at, leaf) for at, leaf in leaves(entry.inputs) if isinstance(leaf, Ref))


def check_stack(name: StackName, entries: Entries, kinds: Kinds) -> Iterator[Flaw]:
    """Yield the flaws of the unresolved values of one stack and of its `depends_on`. Its kind must be known."""
    entry = entries[name]
    inputs = kinds[entry.kind].inputs
    for at, leaf in leaves(entry.inputs):
        where = ("stacks", name, *at)
        if isinstance(leaf, Ref):
            unknown = list(_check_stack_name(where, leaf.stack, name, entries))
            upstream = None if unknown else kinds.get(entries[leaf.stack].kind)
            yield from unknown or (
                _check_reference(where, leaf, _accepted_types(inputs, at), upstream) if upstream else ()
            )
        elif isinstance(leaf, SecretSource):
            yield from _check_secret(where, leaf, _accepted_types(inputs, at))
    for number, other in enumerate(entry.depends_on):
        yield from _check_stack_name(("stacks", name, "depends_on", number), StackName(other), name, entries)


def _accepted_types(inputs: type[BaseModel], at: Loc) -> list[Any]:
    """Return the types that an unresolved value may have there; none where only literals are accepted."""
    return [spot.type for spot in spots_at(inputs, at) if spot.unresolved]


def _check_stack_name(where: Loc, other: StackName, name: StackName, entries: Entries) -> Iterator[Flaw]:
    if other not in entries:
        others = [n for n in entries if n != name]
        yield Flaw(where, f"no stack is named {other}", did_you_mean(other, others), "config.unknown_stack")
    elif other == name:
        yield Flaw(where, f"{name} cannot need itself", code="config.cycle")


def _check_reference(where: Loc, ref: Ref, accepted: Sequence[Any], upstream: StackType[Any, Any]) -> Iterator[Flaw]:
    given, wrong = _referenced_type(upstream.outputs, ref, where)
    if wrong:
        yield wrong
    elif accepted and not any(fits(given, one) for one in accepted):
        yield _type_flaw(where, ref, given, accepted, upstream)


def _referenced_type(outputs: type[Outputs], ref: Ref, where: Loc) -> tuple[Any, Flaw | None]:
    """Return the type of what a reference gives, or why it gives nothing."""
    annotation: Any = outputs
    for number, part in enumerate(ref.output):
        so_far = Ref(ref.stack, ref.output[:number])
        model = record_model(annotation)
        field = find_field(model, part) if model else None
        if field:
            annotation = field.annotation
        elif any(get_origin(spot.type) in MAPS for spot in spots(annotation)):
            annotation = next(get_args(s.type)[1] for s in spots(annotation) if get_origin(s.type) in MAPS)
        elif model:
            near = did_you_mean(part, field_names(model), wrap="${{" + str(so_far)[2:-1] + ".{}}}")
            return None, Flaw(where, f"{_target_words(so_far)} has no output {part}", near, "config.unknown_output")
        elif annotation is not Any:
            message = f"{so_far} is {describe(annotation)}, which has no part {part}"
            return None, Flaw(where, message, f"write {so_far}", "config.unknown_output")
    return annotation, None


def _target_words(ref: Ref) -> str:
    return f"{ref}" if ref.output else f"the stack {ref.stack}"


def _type_flaw(where: Loc, ref: Ref, given: Any, accepted: Sequence[Any], upstream: StackType[Any, Any]) -> Flaw:
    wants = " or ".join(dict.fromkeys(describe(one) for one in accepted))
    message = f"wants {wants}, but {ref} (kind {upstream.kind}) gives {describe(given)}"
    return Flaw(where, message, _hint(ref, given, accepted, upstream), "config.reference_type")


def _hint(ref: Ref, given: Any, accepted: Sequence[Any], upstream: StackType[Any, Any]) -> str:
    """Return a hint that names an output of the same stack that would fit."""
    model = record_model(given) or upstream.outputs
    stem = Ref(ref.stack, ref.output if record_model(given) else ())
    if any(fits(upstream.outputs, one) for one in accepted):
        return f"write {Ref(ref.stack)}"
    fitting = [n for n, f in _fields(model) if f is not Any and any(fits(f, one) for one in accepted)]
    return f"write {Ref(stem.stack, (*stem.output, fitting[0]))}" if len(fitting) == 1 else _one_of(stem, fitting)


def _fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
    return [(field.alias or name, field.annotation) for name, field in model.model_fields.items()]


def _one_of(stem: Ref, names: Sequence[str]) -> str:
    return f"of that type are {', '.join(str(Ref(stem.stack, (*stem.output, n))) for n in names)}" if names else ""


def _check_secret(where: Loc, source: SecretSource, accepted: Sequence[Any]) -> Iterator[Flaw]:
    """A secret is text, so it fits where text does."""
    if accepted and not any(fits(str, one) for one in accepted):
        wants = " or ".join(dict.fromkeys(describe(one) for one in accepted))
        yield Flaw(where, f"wants {wants}, but {source} gives text", code="config.reference_type")
