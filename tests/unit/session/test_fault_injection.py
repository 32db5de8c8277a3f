"""A fault in a rehearsal: where it strikes, and whether a run told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.errors import ConfigError, ErrorRecord
from aiinfra.lab.domains import fault_types
from aiinfra.report.run import Outcome, RunReport, StackResult, Verb
from aiinfra.session.rehearsal.fault_injection import Fault, FaultInjector
from tests.unit.site import a_world

ROOT = Path(__file__).parents[3]
PLAN = load_environment(str(ROOT / "examples" / "lab.yaml"), world=a_world(ROOT), catalog=Catalog.installed()).plan
IMAGE = "image nvcr.io/nvidia/driver:580 does not exist"
PULL = "nvidia-driver-daemonset on gpu-0: ImagePullBackOff"


def injector(text: str) -> FaultInjector:
    return FaultInjector(Fault.parse(text), PLAN)


def run(*failed: StackResult) -> RunReport:
    names = {result.stack for result in failed}
    good = [StackResult(n, s.kind.kind, Outcome.CHANGED, 1) for n, s in PLAN.steps.items() if n not in names]
    return RunReport(Verb.UP, "lab", "7c41", [*good, *failed], 9, 4 if failed else 0)


def failed(stack: str, message: str, *causes: str) -> StackResult:
    return StackResult(stack, "", Outcome.FAILED, 1, error=ErrorRecord("x", stack, message), causes=causes)


def test_a_fault_whose_root_is_told_where_it_is_was_noticed() -> None:
    told = run(failed("gpu-operator", "ClusterPolicy is not ready", PULL, IMAGE))
    assert injector("image-pull").failure_of(told) == ""
    assert injector("image-pull@gpu-operator").failure_of(told) == ""
    assert injector("image-pull@cluster").failure_of(told) == ""


def test_a_fault_that_nothing_minds_does_not_pass() -> None:
    assert injector("crd-late@nfd").failure_of(run()) == "crd-late@nfd had no effect: every stack is up in spite of it"


def test_a_failure_elsewhere_is_not_the_fault() -> None:
    told = run(failed("gpu-operator", "ClusterPolicy is not ready", PULL, IMAGE))
    assert injector("image-pull@nfd").failure_of(told) == (
        "image-pull@nfd had no effect there: what failed is gpu-operator"
    )


def test_a_failure_for_another_reason_is_not_the_fault() -> None:
    told = run(failed("gpu-operator", "it was stopped", "the disk is full"))
    assert injector("webhook-down").failure_of(told) == "gpu-operator failed, and not by webhook-down: the disk is full"


@pytest.mark.parametrize("stack", ["cluster", "nfd", "gpu-proof"])
def test_a_partition_strikes_the_cluster_of_its_stack_once_that_starts(stack: str) -> None:
    struck = injector(f"api-partition@{stack}")
    assert struck.places == ["cluster"]
    assert struck.waits is (stack != "cluster")


def test_other_faults_are_set_before_the_run_where_they_are_asked_for() -> None:
    assert injector("image-pull@nfd").places == ["nfd"]
    assert not injector("image-pull@nfd").waits
    assert injector("api-partition").places == [""]


def refused(stack: str, message: str) -> RunReport:
    return RunReport(Verb.UP, "lab", "", [], 2, 3, errors=[ErrorRecord("x", stack, message)])


def test_a_fault_that_preflights_tell_was_noticed() -> None:
    told = refused("vgpu", "cluster gpu: no host lists a vGPU profile of A100-PCIe-40GB")
    assert injector("profile-missing").failure_of(told) == ""
    assert (
        injector("profile-missing@mig").failure_of(told)
        == "profile-missing@mig had no effect there: what failed is vgpu"
    )
    assert injector("reboot-pending").failure_of(told) == (
        "vgpu failed, and not by reboot-pending: cluster gpu: no host lists a vGPU profile of A100-PCIe-40GB"
    )


def test_a_session_that_expires_may_fail_no_stack_and_does_so_while_one_waits() -> None:
    told = run(failed("vgpu", "the session at vc.dc1 ended at once"))
    assert injector("vcenter-session-expired").waits
    assert injector("vcenter-session-expired").failure_of(told) == (
        "vcenter-session-expired was not overcome: vgpu: the session at vc.dc1 ended at once"
    )
    assert injector("vcenter-session-expired").failure_of(run()) == (
        "vcenter-session-expired had no effect: no stack waited for a vCenter"
    )


def test_a_fault_of_the_vcenter_is_set_in_all_of_it_and_at_no_stack_of_a_cluster() -> None:
    assert injector("task-hangs@vgpu").places == [""]
    with pytest.raises(ConfigError, match="nfd works in no vCenter") as raised:
        injector("task-hangs@nfd")
    assert raised.value.record.hint == "there are: vgpu, mig, passthrough"


@pytest.mark.parametrize("name", fault_types())
def test_a_run_that_failed_by_something_else_is_never_taken_for_a_fault(name: str) -> None:
    assert "nothing to do with it" in injector(name).failure_of(run(failed("vgpu", "nothing to do with it")))


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no stack is named 'nope'") as raised:
        injector("crd-late@nope")
    assert raised.value.record.hint == "there are: vgpu, mig, passthrough, cluster, nfd, gpu-operator, gpu-proof"


def test_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no fault is named 'image-pul'") as raised:
        injector("image-pul")
    assert raised.value.record.hint == "did you mean 'image-pull'?"


def test_a_fault_of_a_domain_in_which_nothing_works_is_refused_before_anything_starts() -> None:
    path = str(ROOT / "examples" / "small.yaml")
    small = load_environment(path, world=a_world(ROOT), catalog=Catalog.installed()).plan
    with pytest.raises(ConfigError, match="task-hangs cannot strike small: no stack of it works in a vCenter"):
        FaultInjector(Fault.parse("task-hangs"), small)
