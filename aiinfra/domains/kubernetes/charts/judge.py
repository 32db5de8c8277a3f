"""The charts of a stack, judged by themselves: Helm renders each with the values that its release gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aiinfra.domain_packages import Declared, FindTool, PackageReport
from aiinfra.domains.kubernetes.charts.block import REMOTE
from aiinfra.domains.kubernetes.charts.definitions import deviations
from aiinfra.domains.kubernetes.charts.helm_engine import PROGRAM, ChartRequest, Objects, Rendered, render
from aiinfra.domains.kubernetes.charts.sources import ARCHIVE, named_at
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
        what = (
            f"chart {asked.chart.rpartition('/')[2].removesuffix(f'-{asked.version}{ARCHIVE}')} {asked.version}".strip()
        )
        made = render(tool(PROGRAM), asked, environ)
    except _NotKnown as error:
        return replace(_stand_in(step, what, str(error), asked), later=error.later)
    except OutsideError as error:
        hint = f" ({error.record.hint})" if error.record.hint else ""
        return _stand_in(step, what, f"{error}{hint}", asked)
    if not made.had:
        at = named_at(step.inputs) if made.problem == "absent" else ()
        found = [Violation(at, made.message)] if at else []
        return replace(_stand_in(step, what, made.message, asked), lost=True, problems=found)
    if not made.name:
        return replace(
            _stand_in(step, what, made.message, asked), problems=[Violation(named_at(step.inputs), made.message)]
        )
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


NOT_KNOWN: Final = {
    "chart": "where it comes from is not known before the run",
    "version": "its version is not known before the run",
    "repositoryOpts": "the account of its source is not given on this machine",
    "values": "its values are not known before the run",
}


class _NotKnown(Exception):
    """Something of the release is not known here."""

    def __init__(self, key: str) -> None:
        super().__init__(NOT_KNOWN[key])
        self.later = key != "repositoryOpts"


def chart_request(properties: Mapping[str, Tree]) -> ChartRequest:
    """Return what Helm is asked for a release. Raises `_NotKnown`."""
    if unknown := [key for key in NOT_KNOWN if _unknown(properties.get(key))]:
        raise _NotKnown(unknown[0])
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
    objects = (
        f"{_counted(made.objects, 'object')}, {len(made.hooks)} of hooks, {_counted(made.definitions, 'definition')}"
    )
    return f"Helm rendered the real chart {made.name} {made.version} of {place}{digest}: {objects}"


def _counted(things: Objects, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _problems(step: Step, asked: ChartRequest, made: Rendered) -> Iterator[Violation]:
    about = f"chart {made.name} {made.version}"
    if "chart" in type(step.inputs).model_fields and not REMOTE.match(asked.chart) and not asked.repository:
        other = list(_another(step, asked, made))
        yield from other
        if other:
            return
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


def _another(step: Step, asked: ChartRequest, made: Rendered) -> Iterator[Violation]:
    file = Path(asked.chart).name
    if made.name != asked.name:
        yield Violation(named_at(step.inputs), f"{file} is the chart {made.name}, not {asked.name}")
    elif made.version.removeprefix("v") != asked.version.removeprefix("v"):
        yield Violation(("version",), f"{file} is version {made.version}", f"write version: {made.version}")


def _one_line(message: str) -> str:
    """A schema's complaint has a line for each chart and value."""
    lines = [line.strip().removeprefix("- ") for line in message.splitlines() if line.strip()]
    return "; ".join(lines[1:]) if len(lines) > 1 and lines[0].endswith(":") else "; ".join(lines)
