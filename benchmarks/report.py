"""The figures as a table and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.goals import GOALS, Goal
from benchmarks.measure import Sample, Samples

NO_GOAL = Goal(None)


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing."""

    name: str
    unit: str
    runs: int
    least: float
    median: float
    most: float
    cpu: float | None = None
    """The least CPU seconds of a run."""
    budget: float | None = None
    """For the median, on two idle cores."""
    floor: str = ""
    ratio: float | None = None
    """Median wall time by the floor's, both of this run."""
    cpu_ratio: float | None = None

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        return "within" if self.median <= self.budget else "OVER"

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "verdict": self.verdict}


def rows(samples: Samples) -> list[Row]:
    return [_row(name, taken, samples) for name, taken in samples.taken.items()]


def _row(name: str, taken: Sequence[Sample], samples: Samples) -> Row:
    goal, walls = GOALS.get(name, NO_GOAL), [one.wall for one in taken]
    median, cpu = statistics.median(walls), samples.cpu(name)
    under = samples.taken.get(goal.floor, ())
    ground = statistics.median(one.wall for one in under) if under else None
    cpu_ground = samples.cpu(goal.floor)
    return Row(
        name=name,
        unit="s",
        runs=len(taken),
        least=min(walls),
        median=median,
        most=max(walls),
        cpu=cpu,
        budget=goal.budget,
        floor=goal.floor if under else "",
        ratio=median / ground if ground else None,
        cpu_ratio=cpu / cpu_ground if cpu and cpu_ground else None,
    )


def show(found: Sequence[Row], facts: Mapping[str, object], troubles: Sequence[str]) -> None:
    columns = ("what", "runs", "median", "least", "most", "CPU", "budget", "", "floor x", "CPU x")
    table = Table(*columns, title=", ".join(f"{k} {v}" for k, v in facts.items()), title_justify="left")
    for row in found:
        figures = [_text(row, figure) for figure in (row.median, row.least, row.most, row.cpu, row.budget)]
        times = ["" if ratio is None else f"{ratio:.2f}" for ratio in (row.ratio, row.cpu_ratio)]
        table.add_row(f"{row.name}, {row.unit}", str(row.runs), *figures, row.verdict, *times)
    console = Console(width=150)
    console.print(table)
    for trouble in troubles:
        console.print(f"not measured: {trouble}", style="bold", markup=False, highlight=False)


def _text(row: Row, figure: float | None) -> str:
    if figure is None:
        return ""
    return f"{figure:.3f}" if row.unit == "s" else f"{figure:.1f}"
