"""What `why` says of a failure that a cluster no longer shows: nothing is called over that nobody looked at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aiinfra.errors import ErrorRecord
from aiinfra.report.run import Failure
from aiinfra.report.status import LockHolder, StackStatus, Why, WorldState
from aiinfra.ui.terminal import Terminal
from aiinfra.ui.why import hints, why_text

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
RECORD = ErrorRecord("kube.not_ready", "gpu-operator", "ClusterPolicy p is not there", "see its chart")


def told(*now: WorldState, holder: LockHolder | None = None) -> Why:
    failure = Failure("up", NOW, 15.0, RECORD, ("nothing made it",))
    stack = StackStatus("gpu-operator", "gpu_operator", "failed", NOW, 15.0, failure=failure)
    return Why("lab", "lab (runs)", stack, (), (), (), holder, now)


@pytest.mark.parametrize(
    ("looked", "causes", "says", "hint"),
    [
        (True, (), "now cluster c answers, and shows it no more", []),
        (False, (), "now cluster c answers", ["see its chart"]),
        (True, ("nothing made it",), "now cluster c answers, and shows the same", []),
    ],
)
def test_only_what_was_looked_at_is_called_over(
    looked: bool, causes: tuple[str, ...], says: str, hint: list[str]
) -> None:
    state = WorldState("cluster c", "answers", answers=True, causes=causes, hint="see it" * bool(causes), looked=looked)
    lines = [line.strip() for line in why_text(told(state), NOW, Terminal()).splitlines()]
    assert says in lines
    assert hints(told(state)) == [*(["see it"] if causes else hint), "aiinfra up lab"]


def test_while_a_run_holds_the_environment_nobody_is_sent_into_its_lock() -> None:
    holder = LockHolder("aiinfra up lab", "here", 7, NOW)
    assert hints(told(holder=holder)) == ["wait until that run has ended: aiinfra status lab"]
