"""A fault in a rehearsal: where it strikes, and whether a run told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.engine.events import Outcome, RunReport, StackResult, Verb
from aiinfra.errors import ConfigError, ErrorRecord
from aiinfra.session.breaking import Breaker, Fault
from tests.unit.site import a_world

ROOT = Path(__file__).parents[3]
PLAN = load_environment(str(ROOT / "examples" / "lab.yaml"), world=a_world(ROOT), catalog=Catalog.installed()).plan
IMAGE = "image nvcr.io/nvidia/driver:580 does not exist"
PULL = "nvidia-driver-daemonset on gpu-0: ImagePullBackOff"


def breaker(text: str) -> Breaker:
    return Breaker(Fault.parse(text), PLAN)


def run(*failed: StackResult) -> RunReport:
    names = {result.stack for result in failed}
    good = [StackResult(n, s.kind.kind, Outcome.CHANGED, 1) for n, s in PLAN.steps.items() if n not in names]
    return RunReport(Verb.UP, "lab", "7c41", [*good, *failed], 9, 4 if failed else 0)


def failed(stack: str, message: str, *causes: str) -> StackResult:
    return StackResult(stack, "", Outcome.FAILED, 1, error=ErrorRecord("x", stack, message), causes=causes)


def test_a_fault_whose_root_is_told_where_it_is_was_noticed() -> None:
    told = run(failed("gpu-operator", "ClusterPolicy is not ready", PULL, IMAGE))
    assert breaker("image-pull").judged(told) == ""
    assert breaker("image-pull@gpu-operator").judged(told) == ""
    assert breaker("image-pull@cluster").judged(told) == ""


def test_a_fault_that_nothing_minds_does_not_pass() -> None:
    assert breaker("crd-late@nfd").judged(run()) == "crd-late@nfd had no effect: every stack is up in spite of it"


def test_a_failure_elsewhere_is_not_the_fault() -> None:
    told = run(failed("gpu-operator", "ClusterPolicy is not ready", PULL, IMAGE))
    assert breaker("image-pull@nfd").judged(told) == ("image-pull@nfd had no effect there: what failed is gpu-operator")


def test_a_failure_for_another_reason_is_not_the_fault() -> None:
    told = run(failed("gpu-operator", "it was stopped", "the disk is full"))
    assert breaker("webhook-down").judged(told) == "gpu-operator failed, and not by webhook-down: the disk is full"


@pytest.mark.parametrize("stack", ["cluster", "nfd", "gpu-proof"])
def test_a_partition_strikes_the_cluster_of_its_stack_once_that_starts(stack: str) -> None:
    struck = breaker(f"api-partition@{stack}")
    assert struck.places == ["cluster"]
    assert struck.waits is (stack != "cluster")


def test_other_faults_are_set_before_the_run_where_they_are_asked_for() -> None:
    assert breaker("image-pull@nfd").places == ["nfd"]
    assert not breaker("image-pull@nfd").waits
    assert breaker("api-partition").places == [""]


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no stack is named 'nope'") as raised:
        breaker("crd-late@nope")
    assert raised.value.record.hint == "there are: vgpu, mig, passthrough, cluster, nfd, gpu-operator, gpu-proof"


def test_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no fault is named 'image-pul'") as raised:
        breaker("image-pul")
    assert raised.value.record.hint == "did you mean 'image-pull'?"
