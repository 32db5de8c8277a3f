"""Which values a Helm chart knows, as a tree, and what it makes of those that are left out.

A chart drops values that it does not know without a word; here each is a problem that names the nearest one it knows.
In the tree a mapping holds the keys that are known; any other value is a default, whose type is the type asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass

Values = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A default whose inside the chart passes on as it is: labels, resources, an affinity."""

    default: Any


ANY_MAP = Open({})
ANY_LIST = Open([])


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
            yield ValueProblem(path, f"no value {'.'.join(path)} is known", f"did you mean {near[0]}?" if near else "")
        elif isinstance(known[key], Mapping):
            yield from _inside(known[key], value, path)
        elif odd := _mistyped(known[key], value):
            yield ValueProblem(path, f"{'.'.join(path)} is {odd}")


def _inside(known: Values, value: Any, path: Path) -> Iterator[ValueProblem]:
    if isinstance(value, Mapping):
        yield from problems(known, value, path)
    elif isinstance(value, bool | int | float | str | list):
        yield ValueProblem(path, f"{'.'.join(path)} is a map of values, not {_name(value)}")


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
    expected = known.default if isinstance(known, Open) else known
    plain = type(value) in _NAMES and type(expected) in _NAMES
    numeric = isinstance(expected, str) and type(value) is int
    if not plain or type(value) is type(expected) or numeric:
        return ""
    return f"{_name(value)}, where {_name(expected)} is wanted"


def with_defaults(known: Values, given: Values) -> dict[str, Any]:
    """Return what the chart's templates see: `given` over the defaults. `null` removes a default, as in Helm."""
    merged = {key: _default(value) for key, value in known.items() if key not in given}
    for key, value in given.items():
        inside = known.get(key)
        if isinstance(inside, Mapping) and isinstance(value, Mapping):
            merged[key] = with_defaults(inside, value)
        elif value is not None:
            merged[key] = value
    return merged


def _default(value: Any) -> Any:
    if isinstance(value, Open):
        return value.default
    return {key: _default(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def overlay(low: Values, high: Values) -> dict[str, Any]:
    """Return `high` over `low`: maps merge by key, anything else is replaced; neither is changed."""

    def pick(key: str) -> Any:
        below, above = low.get(key), high[key]
        return overlay(below, above) if isinstance(below, Mapping) and isinstance(above, Mapping) else above

    return {**low, **{key: pick(key) for key in high}}


@dataclass(frozen=True, slots=True)
class ChartFacts:
    """What is known of one version of one chart."""

    name: str
    version: str
    app_version: str
    references: Sequence[str]
    """How a release may name it: `(chart, repository)` joined as `oci://…` or as `repository name`."""
    values: Values
    crds: Sequence[str]
    """Names of the CustomResourceDefinitions in its `crds/` folder, which Helm installs and never removes."""
    adds: Sequence[str]
    """What it makes, one phrase each, for readers of a rendered release."""
    unowned: Sequence[str] = ()
    """What its programs make in its namespace and nothing owns, as patterns: `Secret cert-manager-webhook-ca`."""
