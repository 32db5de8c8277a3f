"""What a recorded failure names is looked at before it is called over."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.diagnosis.diagnose import can_be_looked_at, diagnose_text
from tests.unit.diagnosis.snapshots import a_deployment, a_snapshot

POLICY_GONE = "ClusterPolicy cluster-policy is not there after 15 s"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (POLICY_GONE, "CustomResourceDefinition of ClusterPolicy in nvidia.com does not exist"),
        ("Deployment web/front is not there after 4 s", "nothing made it"),
        ("DaemonSet web/agent is not there after 4 s", "nothing made it"),
    ],
)
def test_what_is_still_not_there_is_still_the_cause(text: str, cause: str) -> None:
    assert list(diagnose_text(a_snapshot(), text).causes) == [cause]
    assert can_be_looked_at(a_snapshot(), text)


def test_what_is_there_by_now_is_no_cause() -> None:
    there = a_deployment("front")
    text = f"Deployment {there['metadata']['namespace']}/front is not there after 4 s"
    assert list(diagnose_text(a_snapshot(there), text).causes) == []
    assert can_be_looked_at(a_snapshot(there), text)


@pytest.mark.parametrize("text", ["nvidia.com/gpu has 8 of 16 allocatable after 4 s", "out of things"])
def test_what_names_no_object_is_never_called_over(text: str) -> None:
    assert not can_be_looked_at(a_snapshot(a_deployment("front")), text)
