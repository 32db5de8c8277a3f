"""Where values come from, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.config.explain import Explained
from aiinfra.ui.tables import table


def explained_text(found: Sequence[Explained]) -> str:
    """A line for each value in force; what it overrides stands below it."""
    return table([row for one in found for row in _rows(one)])


def _rows(one: Explained) -> Iterator[tuple[str, str, str]]:
    yield one.path, one.given.value, one.given.where
    for other in one.overridden:
        yield "", other.value, f"overridden: {other.where}"
