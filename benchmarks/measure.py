"""Time whole commands: the minimum, median and maximum of several runs, and the facts of the machine."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing; seconds."""

    name: str
    runs: int
    least: float
    median: float
    most: float
    budget: float | None = None
    note: str = ""

    @property
    def within(self) -> bool | None:
        return None if self.budget is None else self.median <= self.budget

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "within": self.within}


def timed(name: str, act: Callable[[], object], runs: int, budget: float | None = None, note: str = "") -> Row:
    """Time `act` `runs` times."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return Row(name, runs, min(seconds), statistics.median(seconds), max(seconds), budget, note)


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
    """Run a command that must succeed. Raises `RuntimeError` with what it said."""
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


def machine() -> dict[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": _processor(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
