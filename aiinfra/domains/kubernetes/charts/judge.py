"""The charts of a stack, judged by themselves: Helm renders each with the values that its release gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aiinfra.domain_run import Declared, FindTool, PackageReport
from aiinfra.domains.kubernetes.charts.definitions import deviations
from aiinfra.domains.kubernetes.charts.helm_engine import PROGRAM, ChartRequest, Rendered, render
from aiinfra.domains.kubernetes.charts.sources import REMOTE
from aiinfra.engine.wire import Tree, holds_unknown, reveal
from aiinfra.errors import OutsideError
from aiinfra.plan.planner import Step
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.stack import Violation

RELEASE: Final = "kubernetes:helm.sh/v3:Release"


def judge(
    step: Step, declared: Sequence[Declared], tool: FindTool, environ: Mapping[str, str]
) -> Iterator[PackageReport]:
    """Yield a report for each Helm release among the resources that a stack declares."""
    for resource in declared:
        if resource.type == RELEASE:
            yield _judge(step, resource.properties, tool, environ)


def _judge(step: Step, properties: Mapping[str, Tree], tool: FindTool, environ: Mapping[str, str]) -> PackageReport:
    what, asked = f"chart {properties.get('chart')}", None
    try:
        asked = chart_request(properties)
        what = f"chart {asked.chart.rpartition('/')[2]} {asked.version}".strip()
        made = render(tool(PROGRAM), asked, environ)
    except (_NotKnown, OutsideError) as error:
        return _stand_in(step, what, str(error), asked)
    if not made.had:
        return replace(_stand_in(step, what, made.message, asked), lost=True)
    found = list(_problems(step, asked, made))
    names = [crd["metadata"]["name"] for crd in made.definitions]
    return PackageReport(
        step.name,
        f"chart {made.name} {made.version}",
        _rendered_words(asked, made),
        real=True,
        problems=found,
        objects=[*made.objects, *made.hooks],
        definitions=names,
        source=asked,
    )


def _stand_in(step: Step, what: str, why: str, asked: ChartRequest | None) -> PackageReport:
    return PackageReport(step.name, what, f"stand-in for the {what}: {why}", real=False, why=why, source=asked)


class _NotKnown(Exception):
    """Something of the release is known later only."""


def chart_request(properties: Mapping[str, Tree]) -> ChartRequest:
    """Return what Helm is asked for a release. Raises `_NotKnown`."""
    if unknown := [key for key in ("chart", "version", "repositoryOpts", "values") if _unknown(properties.get(key))]:
        raise _NotKnown(f"its {unknown[0]} is not known, or a secret of it is not given here")
    plain: Mapping[str, Any] = {key: reveal(value) for key, value in properties.items() if not holds_unknown(value)}
    options = plain.get("repositoryOpts") or {}
    return ChartRequest(
        chart=str(plain["chart"]),
        version=str(plain.get("version") or ""),
        repository=options.get("repo") or "",
        user=options.get("username") or "",
        password=options.get("password") or "",
        ca=options.get("caFile") or "",
        name=str(plain.get("name") or ""),
        namespace=str(plain.get("namespace") or ""),
        values=plain.get("values") or {},
    )


def _unknown(value: Tree) -> bool:
    return value is not None and holds_unknown(value)


def _rendered_words(asked: ChartRequest, made: Rendered) -> str:
    place = asked.repository or asked.chart
    digest = f", sha256:{made.sha256[:12]}" if made.sha256 else ""
    if made.problem:
        return f"Helm read the real chart {made.name} {made.version} of {place}{digest}, and does not render it"
    objects = f"{len(made.objects)} objects, {len(made.hooks)} of hooks, {len(made.definitions)} definitions"
    return f"Helm rendered the real chart {made.name} {made.version} of {place}{digest}: {objects}"


def _problems(step: Step, asked: ChartRequest, made: Rendered) -> Iterator[Violation]:
    about = f"chart {made.name} {made.version}"
    if "chart" in type(step.inputs).model_fields and not REMOTE.match(asked.chart) and not asked.repository:
        yield from _another(asked, made)
    if made.problem:
        refuses = "does not accept the values" if made.problem == "schema" else "refuses"
        yield Violation(("values",), f"{about} {refuses}: {_one_line(made.message)}", "the sentence is the chart's own")
    for path in made.unknown:
        known: Any = made.defaults
        for part in path[:-1]:
            known = known.get(part) or {}
        near = did_you_mean(path[-1], list(known))
        yield Violation(("values", *path), f"{about} has no use for {'.'.join(path)}", near)
    for sentence in deviations(made.objects, made.definitions):
        yield Violation(("values",), f"{about} makes an object that its own definition refuses: {sentence}")


def _another(asked: ChartRequest, made: Rendered) -> Iterator[Violation]:
    file = Path(asked.chart).name
    if made.name != asked.name:
        yield Violation(("chart",), f"{file} is the chart {made.name}, not {asked.name}")
    if made.version.removeprefix("v") != asked.version.removeprefix("v"):
        yield Violation(("version",), f"{file} is version {made.version}", f"write version: {made.version}")


def _one_line(message: str) -> str:
    """A schema's complaint has a line for each chart and value."""
    lines = [line.strip().removeprefix("- ") for line in message.splitlines() if line.strip()]
    return "; ".join(lines[1:]) if len(lines) > 1 and lines[0].endswith(":") else "; ".join(lines)
