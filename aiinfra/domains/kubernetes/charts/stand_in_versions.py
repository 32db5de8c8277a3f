"""Which versions of charts a lab can stand in for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.charts.helm_values import ChartFacts
from aiinfra.stack import StackName, Surroundings, Violation


def not_simulated(chart: ChartFacts, version: str, name: StackName, around: Surroundings) -> Iterator[Violation]:
    """Yield that a lab has another version of the chart than the stack's input `version` asks for."""
    if around.target == "lab" and version != chart.version:
        yield Violation(
            ("version",),
            f"a lab stands in for chart {chart.name} {chart.version}, not for {version}",
            f"rehearse with --set stacks.{name}.version={chart.version}",
        )
