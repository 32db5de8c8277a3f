"""What a run does when a stack's turn has a bug."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from aiinfra.engine.events import Event
from aiinfra.engine.queue import Queue
from aiinfra.engine.run import StackExecutor
from aiinfra.report.run import StackResult


def test_a_turn_that_breaks_ends_the_run_with_its_error_instead_of_being_waited_for() -> None:
    events: list[Event] = []

    def work(name: str) -> StackResult:
        raise KeyError(name)

    run = StackExecutor(Queue({"cluster": frozenset()}), {"cluster": "existing_cluster"}, work, 4, events.append, _now)
    with pytest.raises(KeyError, match="cluster"):
        run.run(threading.Event())


def _now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
