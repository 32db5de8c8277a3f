"""What is wrong with the values of a chart: those it does not know or refuses, and those that contradict fields. Pure.

It judges by what is known of one version of a chart, and is the second best to the chart itself (`charts.judge`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts
from aiinfra.domains.kubernetes.charts.helm_values import problems
from aiinfra.domains.kubernetes.charts.sources import source_violations
from aiinfra.domains.kubernetes.charts.trees import with_defaults
from aiinfra.stack import Violation

Loc = tuple[str | int, ...]
Fields = Mapping[str, str]
"""By field of a kind, `driver.precompiled`, the value of the chart that it becomes: `driver.usePrecompiled`."""
MISSING = object()


def violations(
    facts: ChartFacts, inputs: Any, fields: Fields, made: Mapping[str, Any], sent: Mapping[str, Any]
) -> Iterator[Violation]:
    """Yield every rule that inputs with `chart`, `charts`, `version` and `values` violate.

    `made` are the values that are made from fields, `sent` all that the chart gets. Only the version that is known can
    be judged by what the chart knows.
    """
    yield from source_violations(inputs)
    yield from contradictions(fields, inputs, made)
    if inputs.version != facts.version:
        return
    about = f"chart {facts.name} {facts.version}: "
    wrong = list(problems(facts.values, inputs.values))
    for problem in wrong:
        yield Violation(("values", *problem.path), about + problem.message, problem.hint)
    if facts.refuses and not wrong:
        for problem in facts.refuses(with_defaults(facts.values, sent)):
            given = at_path(inputs.values, problem.path) is not MISSING
            yield Violation(("values", *problem.path) if given else (), about + problem.message, problem.hint)


def contradictions(fields: Fields, inputs: Any, made: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield each value that says something else than a field that is given, too."""
    for field, path in fields.items():
        theirs = at_path(inputs.values, tuple(path.split(".")))
        ours = at_path(made, tuple(path.split(".")))
        if theirs in (MISSING, ours) or ours is MISSING or not is_given(inputs, field):
            continue
        yield Violation(
            ("values", *path.split(".")),
            f"values.{path} is {shown(theirs)}, and the field {field} makes it {shown(ours)}",
            "drop one of them: values would win",
        )


def superseded(fields: Fields, inputs: Any) -> Mapping[Loc, Loc]:
    """Return the fields that do not count, with the place in `values` that is sent instead."""
    return {
        tuple(field.split(".")): ("values", *path.split("."))
        for field, path in fields.items()
        if at_path(inputs.values, tuple(path.split("."))) is not MISSING
    }


def is_given(inputs: BaseModel, field: str) -> bool:
    """Whether a field is written, not left to its default."""
    held: Any = inputs
    for part in field.split("."):
        if not isinstance(held, BaseModel) or part not in held.model_fields_set:
            return False
        held = getattr(held, part)
    return True


def at_path(values: Any, path: Loc) -> Any:
    """Return the value at a path, or `MISSING`."""
    for part in path:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return values


def shown(value: Any) -> str:
    """`true`, `580.105.08`, `a list of 2`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "a map" if isinstance(value, Mapping) else str(value) or '""'
