"""From the inputs of a Helm `Release` to what its chart makes: which charts are known, and what they refuse."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from aiinfra.domain import load
from aiinfra.domains.kubernetes.charts import chart_of, charts, facts_by_name
from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts
from aiinfra.domains.kubernetes.charts.helm_values import dotted, problems
from aiinfra.domains.kubernetes.charts.trees import with_defaults
from aiinfra.domains.kubernetes.lab.real_versions import VERSIONS
from aiinfra.domains.kubernetes.lab.standins.charts.release import (
    HelmRelease,
    Manifest,
    as_hook,
    ordered,
    with_helm_metadata,
)
from aiinfra.providers.contract import CheckFailure

Make = Callable[[HelmRelease, Mapping[str, Any]], Manifest]
"""What a chart makes of a release and its values, with the chart's defaults filled in."""


def facts_of(inputs: Mapping[str, Any]) -> ChartFacts | None:
    """Return what is known of the chart, with the version that is asked for; None for a chart that is not known.

    `inputs` are those of a release, or its state, which knows the chart also when the chart's file is gone.
    """
    facts = _known(inputs)
    version = str(inputs.get("version") or "")
    if facts is None or version in ("", facts.version):
        return facts
    return replace(facts, version=version, app_version=version)


def _known(inputs: Mapping[str, Any]) -> ChartFacts | None:
    if installed := (inputs.get("status") or {}).get("chart"):
        return facts_by_name().get(installed)
    return chart_of(str(inputs.get("chart", "")), str((inputs.get("repositoryOpts") or {}).get("repo") or ""))


def check_failures(inputs: Mapping[str, Any], *, real_operators: bool = False) -> Iterator[CheckFailure]:
    """Yield why the chart of these inputs cannot be installed in a lab, in a cluster with real operators or without."""
    facts = facts_of(inputs)
    if facts is None:
        yield CheckFailure("chart", _unknown_chart(str(inputs.get("chart", ""))))
        return
    known = facts_by_name()[facts.name].version
    having = VERSIONS.get(facts.name, known) if real_operators else known
    if facts.version != having:
        yield CheckFailure(
            "version", f"the lab knows chart {facts.name} {having}, not {facts.version}; use {having} there"
        )
    given = inputs.get("values") or {}
    refused = facts.refuses(with_defaults(facts.values, given)) if facts.refuses else ()
    for problem in (*problems(facts.values, given), *refused):
        message = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
        yield CheckFailure(f"values.{dotted(problem.path)}", f"chart {facts.name} {facts.version}: {message}")


def _unknown_chart(chart: str) -> str:
    known = facts_by_name()
    references = [str(reference) for facts in known.values() for reference in facts.references]
    near = difflib.get_close_matches(chart, [*known, *references], n=1) or [", ".join(known)]
    return f"the lab knows no chart {chart} in that repository; it can stand in for {near[0]}"


def rendered(inputs: Mapping[str, Any]) -> Manifest:
    """Return what the templates make, without the metadata that Helm adds. The inputs passed `check_failures`."""
    facts = facts_of(inputs)
    assert facts is not None
    release = HelmRelease(str(inputs["name"]), str(inputs["namespace"]))
    make: Make = load(next(known.manifest for known in charts() if known.name == facts.name))
    return make(release, with_defaults(facts.values, inputs.get("values") or {}))


def manifest_of(inputs: Mapping[str, Any]) -> Manifest:
    """Return what Helm would install, in its order and with its metadata. The inputs passed `check_failures`."""
    made, release = rendered(inputs), HelmRelease(str(inputs["name"]), str(inputs["namespace"]))
    return Manifest(
        [with_helm_metadata(obj, release) for obj in ordered(made.objects)],
        () if inputs.get("skipCrds") else made.crds,
        [as_hook(with_helm_metadata(obj, release), "post-delete") for obj in made.after_delete],
        [as_hook(with_helm_metadata(obj, release), "pre-delete") for obj in made.before_delete],
    )
