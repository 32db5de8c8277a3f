"""Trees of the values that a Helm chart knows.

A mapping holds the keys that are known; any other value is a default, whose type is the type asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass

Values = Mapping[str, Any]


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
