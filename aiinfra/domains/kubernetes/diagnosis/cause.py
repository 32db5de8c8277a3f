"""Causes as a tree, and the one line that a person reads of it. Pure.

A symptom has causes, which have causes; the roots are told, not the leaves. What is only waiting for something else
weighs less than what is broken by itself, so a victim is never taken for the culprit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from aiinfra.report.causes import ALSO

MOST = 3
"""Roots that are told at once."""


class Weight(IntEnum):
    WAITING = 0
    """It waits for something else, as far as can be seen."""
    BLOCKED = 1
    """It cannot go on, for want of something."""
    FAILING = 2
    """It has failed by itself, and is just trying again."""
    BROKEN = 3
    """It is broken by itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    says: str
    hint: str = ""
    weight: Weight = Weight.BROKEN
    because: tuple[Cause, ...] = ()

    @property
    def gravest(self) -> Weight:
        return max((cause.gravest for cause in self.because), default=self.weight)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What stands behind a failure: sentences from the leaf to the root, and one way out."""

    causes: Sequence[str] = ()
    hint: str = ""
    weight: Weight = Weight.WAITING
    """Of the gravest cause: `BROKEN` does not heal by waiting for others."""


def gravest(causes: Iterable[Cause]) -> list[Cause]:
    """Those that weigh most, in their order; what fails again and again is told between two failures too."""
    found = list(causes)
    most = max((cause.gravest for cause in found), default=Weight.WAITING)
    return [cause for cause in found if cause.gravest >= min(most, Weight.FAILING)]


def told(causes: Iterable[Cause]) -> Diagnosis:
    """The gravest causes as one chain; further roots follow as `and also …`."""
    worst = gravest(causes)
    if not worst:
        return Diagnosis()
    chains = [chain for cause in worst for chain in _chains(cause)]
    roots: dict[str, list[Cause]] = {}
    for chain in chains:
        roots.setdefault(chain[-1].says, chain)
    first, *others = list(roots.values())[:MOST]
    also = [ALSO + ", as ".join(cause.says for cause in chain if cause not in first) for chain in others]
    hints = filter(None, (_way_out(chain) for chain in (first, *others)))
    weight = max(cause.gravest for cause in worst)
    return Diagnosis([*(cause.says for cause in first), *also], "; ".join(dict.fromkeys(hints)), weight)


def _way_out(chain: Sequence[Cause]) -> str:
    """The one that is nearest to the root."""
    return next((cause.hint for cause in reversed(chain) if cause.hint), "")


def _chains(cause: Cause) -> Iterator[list[Cause]]:
    if not cause.because:
        yield [cause]
    for deeper in gravest(cause.because):
        yield from ([cause, *chain] for chain in _chains(deeper))
