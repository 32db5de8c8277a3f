"""Problems with file, line and column, from flaws at paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiinfra.config.layers import Layer, Merged
from aiinfra.config.marks import Mark
from aiinfra.dataclass import dataclass
from aiinfra.errors import Problem
from aiinfra.model.tree import Flaw, Loc, dotted


@dataclass(frozen=True, slots=True)
class Located:
    """A problem and its position among the others."""

    rank: tuple[int, int, int, str]
    problem: Problem


def locate(flaw: Flaw, merged: Merged) -> Located:
    """Return the problem of a flaw, at the nearest place that a layer has."""
    at, layer = _nearest(flaw.at, merged)
    key = flaw.at_key or at != flaw.at
    mark = layer.mark(at, key=key)
    hint = f'quote it: "{mark.written}"' if flaw.quotable and mark.written else flaw.hint
    problem = Problem(layer.where(at, key=key), dotted(flaw.at), flaw.message, hint, flaw.code)
    return Located(_rank(merged.layers.index(layer), mark, problem), problem)


def _nearest(at: Loc, merged: Merged) -> tuple[Loc, Layer]:
    for length in range(len(at), 0, -1):
        if owners := merged.owners(at[:length]):
            return at[:length], owners[0]
    return (), next(layer for layer in merged.layers if layer.marked)


def _rank(layer: int, mark: Mark, problem: Problem) -> tuple[int, int, int, str]:
    return layer, mark.line, mark.column, str(problem)


def sorted_problems(found: Iterable[Located]) -> Sequence[Problem]:
    """Return the problems by file, line and column; one for each value, the first that was found there."""
    first: dict[tuple[str, str], Located] = {}
    for one in found:
        first.setdefault((one.problem.where, one.problem.path), one)
    return [one.problem for one in sorted(first.values(), key=lambda one: one.rank)]
