"""The Helm charts that are known, one folder each: what is true of the real one, and what stands in for it in a lab.

A folder's `__init__.py` holds `CHART = Chart(...)`, which names the rest; it is imported when it is used, so that
commands that only read load no stand-in.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from aiinfra.dataclass import dataclass
from aiinfra.domain import load
from aiinfra.domains.kubernetes.charts.block import REMOTE
from aiinfra.domains.kubernetes.charts.sources import local_chart

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts

CHARTS: Final = (
    "nfd",
    "gpu_operator",
    "cert_manager",
)
"""Folders of this package. In a cluster of a lab, their controllers act in this order."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. Strings name what is loaded when it is used: `package.module:attribute`."""

    name: str
    """As its repository calls it: `gpu-operator`."""
    facts: str
    """A `ChartFacts`: version, values, definitions, what it adds."""
    manifest: str
    """What the chart makes of a release and its values, in a lab: a function, see `lab.standins.charts.release`."""
    controllers: str = ""
    """A function that makes the controllers of one simulated cluster for what the chart deploys: a sequence of
    `lab.controllers.controller.Controller`. Empty: what it deploys only runs."""
    fates: str = ""
    """What becomes of the pods of simulated nodes by this chart: a `lab.controllers.controller.Fates`. Empty: nothing
    out of the ordinary."""


def charts() -> Iterator[Chart]:
    """Yield every chart, in the order of the list."""
    return (cast("Chart", importlib.import_module(f"{__name__}.{folder}").CHART) for folder in CHARTS)


def facts_by_name() -> Mapping[str, ChartFacts]:
    """Return the facts of every chart that is known, by the chart's name."""
    return {chart.name: load(chart.facts) for chart in charts()}


def chart_of(chart: str, repository: str) -> ChartFacts | None:
    """Return the chart that a release refers to by `chart` and its repository's URL; None when it is not known.

    A mirror has a chart under its own name; a chart that is a file or a folder says itself which one it is.
    """
    known = facts_by_name()
    if repository:
        return known.get(chart)
    if REMOTE.match(chart):
        name = chart.rpartition("/")[2]
        return known.get(name) or next((facts for n, facts in known.items() if name.startswith(f"{n}-")), None)
    return known.get(local_chart(Path(chart))[0])
