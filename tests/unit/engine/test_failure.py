"""A failure as one line that survives the engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.engine.failure import last_words, parse_failure, parse_failures, render_failure
from aiinfra.errors import ErrorRecord, StepError

FAILURE = StepError(
    "ClusterPolicy cluster-policy is not ready.",
    causes=["nvidia-driver-daemonset on gpu-0: ImagePullBackOff", "image x for kernel 5.14.0-570 does not exist"],
    code="kube.not_ready",
    hint="set driver.version",
    transient=True,
)
LINE = (
    "ClusterPolicy cluster-policy is not ready ← nvidia-driver-daemonset on gpu-0: ImagePullBackOff"
    " ← image x for kernel 5.14.0-570 does not exist → set driver.version [kube.not_ready, transient]"
)


def test_a_failure_reads_from_the_leaf_to_the_root_and_the_way_out() -> None:
    assert render_failure(FAILURE) == LINE


@pytest.mark.parametrize(
    "wrapped",
    [
        LINE,
        f"1 error occurred:\n\t* {LINE}\n\n",
        f"BAIL: step executor errored: step application failed: 1 error occurred:\n\t* {LINE}\n\n",
        f"<{{%reset%}}>1 error occurred:\n\t* {LINE}\n\n<{{%reset%}}>\n",
        f"rpc error: code = Unknown desc = {LINE}",
        f"error: {LINE}\nupdate failed\n",
    ],
    ids=["bare", "list", "bail", "coloured", "grpc", "error"],
)
def test_a_failure_is_found_in_what_the_engine_makes_of_it(wrapped: str) -> None:
    found = parse_failure(wrapped)
    assert found is not None
    assert found.record == ErrorRecord(
        "kube.not_ready", "", "ClusterPolicy cluster-policy is not ready", "set driver.version", transient=True
    )
    assert found.causes == (
        "nvidia-driver-daemonset on gpu-0: ImagePullBackOff",
        "image x for kernel 5.14.0-570 does not exist",
    )


def test_two_failures_are_two() -> None:
    other = render_failure(StepError("ConfigMap a/b: refused", code="kube.invalid"))
    messages = [
        error.record.message for error in parse_failures(f"2 errors occurred:\n\t* {LINE}\n\t* {other}\n\n{LINE}")
    ]
    assert messages == ["ClusterPolicy cluster-policy is not ready", "ConfigMap a/b: refused"]


def test_text_of_others_is_no_failure() -> None:
    assert parse_failure("update failed") is None
    assert parse_failure("list [1, 2] is odd") is None


@given(st.text(), st.lists(st.text(), max_size=3), st.text())
def test_nothing_said_by_the_world_breaks_the_line(message: str, causes: list[str], hint: str) -> None:
    line = render_failure(StepError(message, causes=causes, code="kube.failed", hint=hint))
    assert len(line.splitlines()) == 1


HELM = 'Helm release "gpu-operator/gpu-operator" failed to initialize completely. Use Helm CLI to investigate'


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("the disk is full\n", "the disk is full"),
        (f"1 error occurred:\n\t* {HELM}\n\n", HELM),
        (
            f"1 error occurred:\n\t* {HELM}: pre-upgrade hooks failed: 1 error occurred:\n"
            "\t* timed out waiting for the condition\n\n\n\n",
            f"{HELM}: pre-upgrade hooks failed: timed out waiting for the condition",
        ),
        (
            'error: 2 errors occurred:\n\t* the Kubernetes API server reported that "a/b" failed to become live:\n'
            "\t* containers with unready status: [ctr]\n",
            'the Kubernetes API server reported that "a/b" failed to become live: containers with unready status: [ctr]',
        ),
        ("first\nsecond\n", "first; second"),
        ("\n".join(f"line {n}" for n in range(9)), "… line 3; line 4; line 5; line 6; line 7; line 8"),
        ("\t1 error occurred:\n", ""),
    ],
    ids=["one line", "a list", "lists in lists", "introduced", "two lines", "many lines", "no words"],
)
def test_of_what_a_plugin_says_the_last_lines_are_kept(said: str, kept: str) -> None:
    assert last_words(said) == kept


def test_of_a_long_text_the_end_is_kept() -> None:
    said = last_words(f"{'word ' * 400}the root")
    assert said.startswith("… word ")
    assert said.endswith(" the root")
    assert len(said) <= 1010
