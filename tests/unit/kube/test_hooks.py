"""Which Jobs are hooks of an uninstall, and when they are waited for no longer."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.hooks import is_hopeless, sentence, unfinished_hook

JOB = ObjectRef("batch/v1", "Job", "gpu-operator-cleanup-gpucluster", "gpu-operator")
UNPULLABLE = Diagnosis(["its pod: ErrImagePull", "image x does not exist"], "correct the image", Weight.BROKEN)
UNSCHEDULABLE = Diagnosis(["its pod: Unschedulable", "0/2 nodes are available"], "uncordon a node", Weight.BLOCKED)


def a_job(event: str = "pre-delete", condition: str = "", **metadata: Any) -> Object:
    annotations = {"helm.sh/hook": event} if event else {}
    status = {"conditions": [{"type": condition, "status": "True"}]} if condition else {}
    return {"kind": "Job", "metadata": {"name": "hook", "annotations": annotations, **metadata}, "status": status}


@pytest.mark.parametrize("event", ["pre-delete", "post-delete", "post-install, post-delete"])
def test_a_hook_of_an_uninstall_counts_until_it_ended(event: str) -> None:
    assert unfinished_hook(a_job(event))
    assert not unfinished_hook(a_job(event, "Complete"))
    assert not unfinished_hook(a_job(event, "Failed"))
    assert not unfinished_hook(a_job(event, deletionTimestamp="2026-11-30T00:00:00Z"))


@pytest.mark.parametrize("event", ["", "pre-upgrade", "test"])
def test_other_jobs_do_not(event: str) -> None:
    assert not unfinished_hook(a_job(event))


def test_a_pod_that_is_broken_by_itself_is_given_a_tenth_of_the_limit() -> None:
    assert not is_hopeless(UNPULLABLE, 29, 300)
    assert is_hopeless(UNPULLABLE, 30, 300)


@pytest.mark.parametrize("found", [UNSCHEDULABLE, Diagnosis()], ids=["no node yet", "it runs"])
def test_all_others_have_the_whole_limit(found: Diagnosis) -> None:
    assert not is_hopeless(found, 299, 300)
    assert is_hopeless(found, 300, 300)


def test_what_was_left_out_is_told_with_the_reason_and_what_to_do() -> None:
    assert sentence(JOB, UNSCHEDULABLE, 300.4) == (
        "the chart's hook Job gpu-operator/gpu-operator-cleanup-gpucluster, which did not run in 300 s "
        "← its pod: Unschedulable ← 0/2 nodes are available (uncordon a node, if you need what it does)"
    )
    assert sentence(JOB, Diagnosis(), 300).endswith("← its pod did not end (do by hand what it does, if you need it)")
