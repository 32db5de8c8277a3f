"""What a rehearsal found, as values."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.dataclass import dataclass
from aiinfra.report.run import RunReport


@dataclass(frozen=True, slots=True)
class Act:
    """One part of a rehearsal: an up, an up with a fault, a destroy."""

    name: str
    report: RunReport
    passed: bool
    why: str
    """What it came to, in one sentence."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The acts in order, and what the reader must know of the world that they ran in."""

    environment: str
    acts: Sequence[Act]
    assumed: Sequence[str]
    """What the file does not say, one sentence each."""
    simulated: Sequence[str]
    not_checked: Sequence[str] = ()
    """What the real world might refuse and the lab does not."""
    packages: Sequence[str] = ()
    """By what each package that a stack installs, such as a chart, was judged: itself or a stand-in."""

    @property
    def passed(self) -> bool:
        return bool(self.acts) and all(act.passed for act in self.acts)
