"""The charts that are known, by name."""

from __future__ import annotations

from collections.abc import Mapping

from aiinfra.domains.kubernetes.facts import gpu_operator_chart, nfd_chart
from aiinfra.domains.kubernetes.facts.helm_values import ChartFacts

CHARTS: Mapping[str, ChartFacts] = {chart.name: chart for chart in (nfd_chart.CHART, gpu_operator_chart.CHART)}


def chart_of(chart: str, repository: str) -> ChartFacts | None:
    """The chart that a release refers to by `chart` and its repository's URL."""
    reference = f"{repository.rstrip('/')} {chart}" if repository else chart
    return next((known for known in CHARTS.values() if reference in known.references), None)
