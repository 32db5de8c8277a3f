"""Flaws from the errors of pydantic: one for each path, with what is expected there and what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aiinfra.model.display import is_secret
from aiinfra.model.tree import Flaw, Loc, Tree, at_path, child, is_list, is_map
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.plan.types import Spot, describe, field_names, spots_at
from aiinfra.stack import Outputs, Ref, SecretSource


def flaws_of(model: type[BaseModel], error: ValidationError, tree: Tree, at: Loc) -> list[Flaw]:
    """Return one flaw for each path of the tree where something is wrong."""
    places: dict[Loc, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        places.setdefault(_path_in_tree(detail, tree), []).append(detail)
    deeper = {loc[:n] for loc in places for n in range(len(loc))}
    return [
        _flaw(model, loc, details, tree, at)
        for loc, details in places.items()
        if not (loc in deeper and all(_is_mismatch(d) for d in details))
    ]


def literal_required(value: Tree) -> tuple[str, str]:
    """Return the message and the hint for an unresolved value in a field that takes literals only."""
    if isinstance(value, Ref):
        return f"takes no reference, so {value} cannot stand here", "write the value itself"
    hint = "write the value itself, or set it by an AIINFRA__ variable"
    return f"takes no secret, so {value} cannot stand here", hint


def _path_in_tree(detail: ErrorDetails, tree: Tree) -> Loc:
    """Return the parts of pydantic's path that the tree has; the others name members of unions."""
    found: Loc = ()
    parts = detail["loc"]
    for number, part in enumerate(parts):
        try:
            tree = child(tree, part)
        except KeyError:
            if detail["type"] != "missing" or number < len(parts) - 1:
                continue
        found = (*found, part)
    return found


def _is_mismatch(detail: ErrorDetails) -> bool:
    return detail["type"] in _EXPECTATIONS


def _flaw(model: type[BaseModel], loc: Loc, details: Sequence[ErrorDetails], tree: Tree, at: Loc) -> Flaw:
    kinds = {detail["type"] for detail in details}
    where = (*at, *loc)
    if "missing" in kinds:
        return Flaw(where, "is required", _missing_hint(spots_at(model, loc)))
    if "extra_forbidden" in kinds:
        siblings = [n for s in spots_at(model, loc[:-1]) for n in _names(s)]
        return Flaw(where, "no such key here", did_you_mean(str(loc[-1]), siblings), at_key=True)
    if any("[key]" in detail["loc"] for detail in details):
        return Flaw(where, f"{loc[-1]!r} is not a name of the form {_pattern(details)}", at_key=True)
    value = at_path(tree, loc)
    if isinstance(value, Ref | SecretSource):
        return _unresolved_flaw(where, value)
    return _mismatch(where, value, details)


def _unresolved_flaw(where: Loc, value: Ref | SecretSource) -> Flaw:
    return Flaw(where, *literal_required(value))


def _mismatch(where: Loc, value: Tree, details: Sequence[ErrorDetails]) -> Flaw:
    if own := next((d for d in details if d["type"] in {"value_error", "assertion_error"}), None):
        text = str(own.get("ctx", {}).get("error", own["msg"]))
        return Flaw(where, _without_secret(text, where, value))
    wants = " or ".join(dict.fromkeys(_expectation(detail) for detail in details))
    types = {detail["type"] for detail in details}
    hint = _hint(value, details) or ("put it in quotes" if "string_type" in types and _is_scalar(value) else "")
    quotable = hint == "put it in quotes" and not is_secret(where)
    return Flaw(where, f"wants {wants}, got {display_value(value, where)}", hint, quotable=quotable)


def _is_scalar(value: Tree) -> bool:
    return isinstance(value, bool | int | float)


def _without_secret(text: str, where: Loc, value: Tree) -> str:
    return "is not valid" if is_secret(where) and isinstance(value, str) and value in text else text


def _names(spot: Spot) -> list[str]:
    return field_names(spot.type) if isinstance(spot.type, type) and issubclass(spot.type, BaseModel) else []


def _missing_hint(spots: Sequence[Spot]) -> str:
    if records := [s.type for s in spots if isinstance(s.type, type) and issubclass(s.type, Outputs)]:
        return f"write ${{STACK}}, a stack that gives {records[0].__name__}"
    return " or ".join(dict.fromkeys(f"wants {describe(s.type)}" for s in spots[:1]))


def _pattern(details: Sequence[ErrorDetails]) -> str:
    return next((str(d["ctx"]["pattern"]) for d in details if "pattern" in d.get("ctx", {})), "wanted here")


def display_value(value: Tree, where: Loc) -> str:
    """Return a value as a message names it; what may be a secret is named by its type only."""
    if value is None:
        return "nothing"
    if is_map(value) or is_list(value):
        return "a map" if is_map(value) else "a list"
    kind = "text" if isinstance(value, str) else "true or false" if isinstance(value, bool) else "a number"
    if is_secret(where):
        return kind
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    return str(value).lower() if isinstance(value, bool) else f"the number {value}"


_EXPECTATIONS: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "none_required": "nothing",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "dataclass_type": "a map",
    "reference_type": "a reference to another stack such as ${cluster}",
}


def _limit(words: str, key: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda context: words.format(context[key])


_LIMITS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": _limit("more than {}", "gt"),
    "greater_than_equal": _limit("at least {}", "ge"),
    "less_than": _limit("less than {}", "lt"),
    "less_than_equal": _limit("at most {}", "le"),
    "multiple_of": _limit("a multiple of {}", "multiple_of"),
    "string_pattern_mismatch": _limit("text that matches {}", "pattern"),
    "string_too_short": _limit("at least {} characters", "min_length"),
    "string_too_long": _limit("at most {} characters", "max_length"),
    "too_short": lambda context: f"at least {context['min_length']} entries".replace("1 entries", "1 entry"),
    "too_long": _limit("at most {} entries", "max_length"),
    "literal_error": _limit("{}", "expected"),
    "enum": _limit("{}", "expected"),
    "union_tag_invalid": _limit("one of the kinds {}", "expected_tags"),
    "union_tag_not_found": _limit("the key {}", "discriminator"),
}


def _expectation(detail: ErrorDetails) -> str:
    if words := _EXPECTATIONS.get(detail["type"]):
        return words
    if limit := _LIMITS.get(detail["type"]):
        return limit(detail.get("ctx", {})).replace("'", "")
    message = detail["msg"].removeprefix("Input should be ").removeprefix("Value should have ")
    return message[:1].lower() + message[1:]


_BOOLEANS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


def _hint(value: Tree, details: Sequence[ErrorDetails]) -> str:
    types = {detail["type"] for detail in details}
    if isinstance(value, str) and "bool_type" in types and value.lower() in _BOOLEANS:
        return f"write {_BOOLEANS[value.lower()]}"
    if isinstance(value, str) and types & {"int_type", "float_type"} and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return "write it without quotes"
    if isinstance(value, str) and "literal_error" in types:
        expected = [d["ctx"]["expected"] for d in details if d["type"] == "literal_error"]
        names = re.findall(r"'([^']*)'", " ".join(expected))
        near = did_you_mean(value, names)
        return near if near.startswith("did") else ""
    return ""
