"""The type at a path of a model, and whether a value of one type is accepted where another type is declared."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aiinfra.dataclass import dataclass
from aiinfra.model.tree import Loc
from aiinfra.stack import UNRESOLVED, Outputs

LISTS = (list, tuple, set, frozenset, Sequence, AbstractSet)
MAPS = (dict, Mapping)


@dataclass(frozen=True, slots=True)
class Spot:
    """One type that a value at a path may have."""

    type: Any
    """A class, `None`, `Any`, a `Literal[…]`, or a generic such as `list[int]`."""
    unresolved: bool = False
    """True when a reference or a secret source may take its place."""


def spots(annotation: Any, *, unresolved: bool = False) -> Iterator[Spot]:
    """Yield the members of an annotation, without `Annotated` and with unions split."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        yield from spots(inner, unresolved=unresolved or UNRESOLVED in marks)
    elif origin in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from spots(member, unresolved=unresolved)
    else:
        yield Spot(None if annotation is types.NoneType else annotation, unresolved)


def field_spots(field: FieldInfo) -> Iterator[Spot]:
    return spots(field.annotation, unresolved=UNRESOLVED in field.metadata)


def spots_at(model: type[BaseModel], at: Loc) -> list[Spot]:
    """Return the types that a value at a path below a model may have; empty when there is no such path."""
    found = [Spot(model)]
    for part in at:
        found = [below for spot in found for below in _below(spot.type, part)]
    return found


def find_field(model: type[BaseModel], name: str) -> FieldInfo | None:
    return next((f for n, f in model.model_fields.items() if (f.alias or n) == name), None)


def field_names(model: type[BaseModel]) -> list[str]:
    """Return the names of the fields as files have them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _below(accepted: Any, part: str | int) -> Iterator[Spot]:
    if accepted is Any:
        yield Spot(Any)
    elif isinstance(accepted, type) and issubclass(accepted, BaseModel):
        field = find_field(accepted, str(part))
        yield from field_spots(field) if field else ()
    elif get_origin(accepted) in MAPS and isinstance(part, str):
        yield from spots(get_args(accepted)[1])
    elif get_origin(accepted) in LISTS and isinstance(part, int):
        yield from spots(_item(accepted, part))


def _item(accepted: Any, index: int) -> Any:
    arguments = get_args(accepted)
    if get_origin(accepted) is tuple and Ellipsis not in arguments:
        return arguments[index] if index < len(arguments) else Any
    return arguments[0]


def fits(given: Any, accepted: Any) -> bool:
    """True when every value of type `given` is a value of type `accepted`; constraints on values are not looked at."""
    return all(any(_fits(g.type, w.type) for w in spots(accepted)) for g in spots(given))


def _fits(given: Any, accepted: Any) -> bool:
    if accepted is Any or given is Any or given == accepted:
        return True
    if get_origin(accepted) is Literal:
        return get_origin(given) is Literal and set(get_args(given)) <= set(get_args(accepted))
    if get_origin(given) is Literal:
        return all(_class_fits(type(value), accepted) for value in get_args(given))
    if family := next((f for f in (LISTS, MAPS) if _plain(given) in f and _plain(accepted) in f), None):
        return _arguments_fit(given, accepted, family is MAPS)
    return _class_fits(_plain(given), accepted)


def _plain(annotation: Any) -> Any:
    return get_origin(annotation) or annotation


def _arguments_fit(given: Any, accepted: Any, maps: bool) -> bool:
    mine, theirs = get_args(given), get_args(accepted)
    if not mine or not theirs:
        return True
    return fits(mine[-1], theirs[-1]) if maps else fits(mine[0], theirs[0])


def _class_fits(given: Any, accepted: Any) -> bool:
    if not (isinstance(given, type) and isinstance(accepted, type)):
        return False
    if given is bool or accepted is bool:
        return given is accepted
    return issubclass(given, accepted) or (accepted is float and issubclass(given, int))


def record_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model among the members of an annotation, if there is one."""
    return next((s.type for s in spots(annotation) if isinstance(s.type, type) and issubclass(s.type, BaseModel)), None)


def describe(annotation: Any) -> str:
    """Return a type in words: `text`, `a whole number`, `the record ClusterAccess`, `text or nothing`."""
    found = dict.fromkeys(_describe(spot.type) for spot in spots(annotation) if spot.type is not None)
    return " or ".join([*found, *(["nothing"] if any(s.type is None for s in spots(annotation)) else [])])


def join_with_or(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else "".join(words)


_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Any: "anything",
}


def _describe(accepted: Any) -> str:
    plain = _plain(accepted)
    if plain is Literal:
        return join_with_or([str(value) for value in get_args(accepted)])
    if plain in LISTS or plain in MAPS:
        return ("a map" if plain in MAPS else "a list") + _of(accepted)
    if isinstance(plain, type) and issubclass(plain, Enum):
        return join_with_or([str(member.value) for member in plain])
    if isinstance(plain, type) and issubclass(plain, Outputs):
        return f"the record {plain.__name__}"
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        return f"a map ({plain.__name__})"
    return next((words for base, words in _WORDS.items() if isinstance(plain, type) and plain is base), _base(plain))


def _of(accepted: Any) -> str:
    words = [describe(argument) for argument in get_args(accepted) if argument is not Ellipsis]
    return f" of {words[-1]}" if words and words[-1] in _WORDS.values() else ""


def _base(plain: Any) -> str:
    if plain is Any:
        return _WORDS[Any]
    bases = (words for base, words in _WORDS.items() if isinstance(base, type) and issubclass(plain, base))
    return next(bases, plain.__name__) if isinstance(plain, type) else str(plain)
