"""Which versions of charts a lab can have. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts
from aiinfra.domains.kubernetes.needs import RealOperator
from aiinfra.stack import Ref, StackName, Surroundings, Violation


def not_simulated(chart: ChartFacts, version: str, name: StackName, around: Surroundings) -> Iterator[Violation]:
    """Yield that a lab has another version of the chart than the stack's input `version` asks for."""
    if around.target != "lab":
        return
    real = next((one for one in around.hardware if _runs(one, chart, name, around)), None)
    if real is not None and version != real.version:
        yield Violation(
            ("version",),
            f"with operators: real a lab has {chart.name} {real.version}, not {version}",
            f"add --set stacks.{name}.version={real.version}, or leave real operators out",
        )
    if real is None and version != chart.version:
        yield Violation(
            ("version",),
            f"a lab stands in for chart {chart.name} {chart.version}, not for {version}",
            f"rehearse with --set stacks.{name}.version={chart.version}",
        )


def _runs(record: Any, chart: ChartFacts, name: StackName, around: Surroundings) -> TypeGuard[RealOperator]:
    """Whether a record says that the operator of this chart is real in the cluster of the stack `name`."""
    if not isinstance(record, RealOperator) or record.chart != chart.name:
        return False
    cluster = getattr(around.stacks[name][1], "cluster", None)
    return record.cluster is None or (isinstance(cluster, Ref) and cluster.stack == record.cluster)
