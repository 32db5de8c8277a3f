"""Causes as a tree, and the one line that a person reads of it. Pure.

A symptom has causes, which have causes in turn; a diagnosis reports the roots. What only waits for something else
weighs less than what is broken by itself, so that a victim is never taken for the culprit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from aiinfra.dataclass import dataclass
from aiinfra.report.causes import ALSO

MAX_ROOTS = 3
"""Roots that one diagnosis reports at most."""


class Weight(IntEnum):
    WAITING = 0
    """It waits for something else, as far as can be seen."""
    BLOCKED = 1
    """It cannot go on, because it lacks something."""
    FAILING = 2
    """It failed by itself and is trying again."""
    BROKEN = 3
    """It is broken by itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    message: str
    hint: str = ""
    weight: Weight = Weight.BROKEN
    because: tuple[Cause, ...] = ()

    @property
    def gravest(self) -> Weight:
        return max((cause.gravest for cause in self.because), default=self.weight)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The causes of a failure, one sentence each from the symptom to the root, and one hint."""

    causes: Sequence[str] = ()
    hint: str = ""
    weight: Weight = Weight.WAITING
    """The weight of the gravest cause; waiting does not help when it is `BROKEN`."""


def gravest(causes: Iterable[Cause]) -> list[Cause]:
    """Return the causes of the greatest weight, in their order; `FAILING` ones stay beside `BROKEN` ones."""
    found = list(causes)
    most = max((cause.gravest for cause in found), default=Weight.WAITING)
    return [cause for cause in found if cause.gravest >= min(most, Weight.FAILING)]


def diagnosis_of(causes: Iterable[Cause]) -> Diagnosis:
    """Return the gravest causes as one chain; further roots follow as `and also …`."""
    worst = gravest(causes)
    if not worst:
        return Diagnosis()
    chains = [chain for cause in worst for chain in _chains(cause)]
    roots: dict[str, list[Cause]] = {}
    for chain in chains:
        roots.setdefault(chain[-1].message, chain)
    first, *others = list(roots.values())[:MAX_ROOTS]
    also = [ALSO + ", as ".join(cause.message for cause in chain if cause not in first) for chain in others]
    hints = filter(None, (_nearest_hint(chain) for chain in (first, *others)))
    weight = max(cause.gravest for cause in worst)
    return Diagnosis([*(cause.message for cause in first), *also], "; ".join(dict.fromkeys(hints)), weight)


def _nearest_hint(chain: Sequence[Cause]) -> str:
    """Return the hint nearest to the root; empty when no cause of the chain has one."""
    return next((cause.hint for cause in reversed(chain) if cause.hint), "")


def _chains(cause: Cause) -> Iterator[list[Cause]]:
    if not cause.because:
        yield [cause]
    for deeper in gravest(cause.because):
        yield from ([cause, *chain] for chain in _chains(deeper))
