"""The values given to a Helm chart, judged by those that it knows.

A chart drops values that it does not know without a word; here each is a problem that names the nearest one it knows.
The keys and types that it knows are a tree (`charts.trees`).

It is the second best: where the chart can be had, Helm and its schemas judge (`charts.judge`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.trees import Each, OneOf, Open, Values

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """One value that the chart has no use for."""

    path: Path
    message: str
    hint: str = ""


def problems(known: Values, given: Values, at: Path = ()) -> Iterator[ValueProblem]:
    """Yield a problem for each value of `given` that the chart does not know.

    Values that are not plain data yet (references) pass.
    """
    for key, value in given.items():
        path = (*at, str(key))
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            yield ValueProblem(path, f"no value {dotted(path)} is known", f"did you mean {near[0]}?" if near else "")
        else:
            yield from _judged(known[key], value, path)


def _judged(known: Any, value: Any, path: Path) -> Iterator[ValueProblem]:
    if isinstance(known, Mapping):
        yield from _inside(known, value, path)
    elif isinstance(known, OneOf):
        if type(value) in _NAMES and value not in known.options:
            options = ", ".join(map(_shown, known.options))
            yield ValueProblem(path, f"{dotted(path)} is {_shown(value)}, and may be: {options}", known.hint)
    elif odd := _mistyped(known, value):
        yield ValueProblem(path, f"{dotted(path)} is {odd}")
    elif isinstance(known, Each):
        yield from _each(known, value, path)


def _each(known_each: Each, value: Any, path: Path) -> Iterator[ValueProblem]:
    """Yield the problems of the values of a list, or of a map with free keys."""
    item = known_each.item
    for key, part in value.items() if isinstance(value, Mapping) else enumerate(value or ()):
        here = (*path, key)
        if isinstance(item, Mapping) and isinstance(part, Mapping):
            for name in known_each.required:
                if name not in part:
                    yield ValueProblem((*here, name), f"{dotted((*here, name))} is required")
            for name, inner in part.items():
                known = item.get(name)
                if name not in item:
                    yield from problems(item, {name: inner}, here)
                elif isinstance(known, str):
                    yield from _text(inner, (*here, name))
                else:
                    yield from _judged(known, inner, (*here, name))
        elif isinstance(item, str):
            yield from _text(part, here)
        elif type(part) in _NAMES:
            yield ValueProblem(here, f"{dotted(here)} is {_name(part)}, where a map is wanted")


def _text(value: Any, path: Path) -> Iterator[ValueProblem]:
    if type(value) in _NAMES and not isinstance(value, str):
        shown = str(value).lower() if isinstance(value, bool) else value
        hint = f'quote it: "{shown}"' if isinstance(value, bool | int | float) else ""
        yield ValueProblem(path, f"{dotted(path)} is {_name(value)}, where a text is wanted", hint)


def _shown(value: Any) -> str:
    return '""' if value == "" else str(value)


def dotted(path: Path) -> str:
    """`toolkit.env[3].value`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _inside(known: Values, value: Any, path: Path) -> Iterator[ValueProblem]:
    if isinstance(value, Mapping):
        yield from problems(known, value, path)
    elif isinstance(value, bool | int | float | str | list):
        yield ValueProblem(path, f"{dotted(path)} is a map of values, not {_name(value)}")


_NAMES: Mapping[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a map",
}


def _name(value: Any) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _mistyped(known: Any, value: Any) -> str:
    """`a text, where true or false is wanted`; empty when the type is right, or when it cannot be told."""
    expected = known.default if isinstance(known, Open | Each) else known
    plain = type(value) in _NAMES and type(expected) in _NAMES
    numeric = isinstance(expected, str) and type(value) is int
    if not plain or type(value) is type(expected) or numeric:
        return ""
    return f"{_name(value)}, where {_name(expected)} is wanted"
