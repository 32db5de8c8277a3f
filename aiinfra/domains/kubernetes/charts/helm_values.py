"""Which values a Helm chart knows, as a tree, and what it makes of those that are left out.

A chart drops values that it does not know without a word; here each is a problem that names the nearest one it knows.
In the tree a mapping holds the keys that are known; any other value is a default, whose type is the type asked for.

It is the second best: where the chart can be had, Helm and its schemas judge (`charts.rendering`).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from aiinfra.dataclass import dataclass

Values = Mapping[str, Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A default whose inside the chart passes on as it is: labels, resources, an affinity."""

    default: Any


@dataclass(frozen=True, slots=True)
class Each:
    """A list, or a map whose keys are free, in which every value is of one form; it is passed on as it is."""

    item: Any
    """A tree, or a text: nothing else is one then, not even a number, as the API server takes none."""
    default: Any
    required: Sequence[str] = ()
    """Keys that each map must have."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A default, and all values that are accepted: an enumeration of a CustomResourceDefinition."""

    default: Any
    options: Sequence[Any]
    hint: str = ""


ANY_MAP = Open({})
ANY_LIST = Open([])
TEXTS = Each("", {})
"""Labels, annotations, a node selector."""
TEXT_LIST = Each("", [])
ENV = Each({"name": "", "value": "", "valueFrom": ANY_MAP}, [], ("name",))
"""Environment variables of a container (Kubernetes core/v1 EnvVar)."""


def from_defaults(values: Any) -> Any:
    """Return the tree for the defaults of a chart, as `tools.chart_values` lists them: what is empty takes anything."""
    if isinstance(values, Mapping) and values:
        return {key: from_defaults(value) for key, value in values.items()}
    return Open(values) if isinstance(values, Mapping | list) else values


_TOLERATION = {"key": "", "operator": "", "value": "", "effect": "", "tolerationSeconds": 0}


def tolerations(default: Sequence[Mapping[str, Any]] = ()) -> Each:
    """Return a list of tolerations (Kubernetes core/v1 Toleration)."""
    return Each(_TOLERATION, list(default))


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


def with_defaults(known: Values, given: Values) -> dict[str, Any]:
    """Return what the chart's templates see: `given` over the defaults. `null` removes a default, as in Helm.

    What is a map in the chart is one here: empty for `null`, the defaults for what `problems` says is none.
    """
    merged = {key: _default(value) for key, value in known.items() if key not in given}
    for key, value in given.items():
        inside = known.get(key)
        if isinstance(inside, Mapping) and isinstance(value, Mapping):
            merged[key] = with_defaults(inside, value)
        elif isinstance(inside, Mapping):
            merged[key] = {} if value is None else _default(inside)
        elif value is not None:
            merged[key] = value
    return merged


def _default(value: Any) -> Any:
    if isinstance(value, Open | Each | OneOf):
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
    images: Mapping[str, str] = field(default_factory=dict)
    """By path of a value, `driver.repository`, the registry or repository that the chart has there."""
    pull_secrets: Sequence[str] = ()
    """Paths of values that are lists of names of pull secrets."""
    pull_secret_objects: Sequence[str] = ()
    """Paths of values that are lists of `{name: …}`."""
    refuses: Callable[[Values], Iterator[ValueProblem]] | None = None
    """What the chart's own templates refuse of values with all defaults."""
    unowned: Sequence[str] = ()
    """What its programs make in its namespace and nothing owns, as patterns: `Secret cert-manager-webhook-ca`."""
