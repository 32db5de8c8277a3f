"""`aiinfra why` while a run works on the stack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aiinfra.errors import ErrorRecord
from aiinfra.report.run import Failure
from aiinfra.report.status import LockHolder, Running, StackStatus, Why, WorldState
from aiinfra.ui.terminal import Terminal
from aiinfra.ui.why import hints, why_text

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CAUSES = ("nvidia-driver-daemonset on gpu-0: ImagePullBackOff", "image driver:1 does not exist")
RUNNING = Running(
    "up", NOW - timedelta(seconds=300), "ClusterPolicy cluster-policy: notReady", NOW - timedelta(seconds=240), CAUSES
)
OLD = Failure("up", NOW - timedelta(hours=2), 3.0, ErrorRecord("kube.not_ready", "x", "an old failure", "an old hint"))
PLACE = WorldState("cluster dc1", "answers, v1.36.3", answers=True, causes=CAUSES, hint="correct its name")
WHY = Why(
    environment="dc1",
    place="state s3://b",
    stack=StackStatus("gpu-operator", "gpu_operator", "running", failure=OLD, running=RUNNING),
    waits_for=(),
    needs=(),
    needed_by=(),
    holder=LockHolder("aiinfra up dc1", "bastion", 7, NOW - timedelta(seconds=310)),
    now=(PLACE,),
)


def text(why: Why) -> str:
    return why_text(why, NOW, Terminal())


def test_what_a_run_waits_for_is_told_with_its_causes_and_who_runs_it() -> None:
    assert (
        text(WHY)
        == """\
○ gpu-operator (gpu_operator) is being worked on by the run that holds the environment
  `up` runs for 5m00, and has waited 4m00 for ClusterPolicy cluster-policy: notReady
  ← nvidia-driver-daemonset on gpu-0: ImagePullBackOff
  ← image driver:1 does not exist
  now cluster dc1 answers, v1.36.3, and shows the same
  held by `aiinfra up dc1` on bastion, pid 7, begun 5 min ago
  → correct its name
  → wait until that run has ended: aiinfra status dc1"""
    )


def test_what_the_world_shows_by_now_counts_more_than_what_the_run_noted() -> None:
    why = replace(WHY, now=[replace(PLACE, causes=("gpu-0 is not ready",), hint="")])
    assert "and shows:\n  ← gpu-0 is not ready\n" in text(why)


def test_no_hint_sends_a_user_into_the_lock_of_the_run() -> None:
    assert hints(replace(WHY, now=())) == ["wait until that run has ended: aiinfra status dc1"]


def test_a_stack_that_another_one_waits_for_is_told_with_what_it_waits_for() -> None:
    proof = StackStatus("gpu-proof", "gpu_proof", "not created")
    said = text(replace(WHY, stack=proof, waits_for=[WHY.stack], now=()))
    assert "waits for gpu-operator, which is being worked on by the run that holds the environment\n" in said
    assert "  which waits for ClusterPolicy cluster-policy: notReady\n  ← nvidia-driver-daemonset on gpu-0" in said


def test_after_a_destroy_that_failed_a_stack_may_go_either_way() -> None:
    failed = StackStatus("nfd", "nfd", "failed", failure=replace(OLD, verb="destroy"))
    assert hints(replace(WHY, stack=failed, holder=None, now=())) == [
        "an old hint",
        "aiinfra destroy dc1, or aiinfra up dc1",
    ]
