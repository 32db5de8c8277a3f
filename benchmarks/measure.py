"""Samples of what commands cost, what each sample counts, and the facts of the machine."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class Failed(Exception):
    """Something that is measured did not work; what it said."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run, in seconds."""

    wall: float
    cpu: float
    """User and system time of this process and of the children that ended; a lab's servers are no children."""


@dataclass(slots=True)
class Samples:
    """All runs of everything, by name, in the order in which the names came."""

    taken: dict[str, list[Sample]] = field(default_factory=dict)

    def take(self, name: str, act: Callable[[], object], runs: int = 1) -> None:
        """Time `act` `runs` times."""
        for _ in range(runs):
            started, spent = time.perf_counter(), _cpu()
            act()
            sample = Sample(time.perf_counter() - started, _cpu() - spent)
            self.taken.setdefault(name, []).append(sample)

    def cpu(self, name: str) -> float | None:
        """The least CPU time of a name: what others take of the machine adds to it, nothing takes away."""
        return min((one.cpu for one in self.taken.get(name, ())), default=None)


def _cpu() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
    """Run a command that must succeed. Raises `Failed` with what it said."""
    done = subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def machine() -> dict[str, object]:
    """What the figures depend on. The load is the mean number of waiting processes in the last minute."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": _processor(),
        "load": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
