"""The normal states of a healthy install are never called broken; what is broken by itself still is."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_wants
from aiinfra.domains.kubernetes.objects.gpu_nodes import GpuUnitsWant, gpu_nodes_want
from aiinfra.domains.kubernetes.objects.wants import ClusterPolicyReady, ObjectWant
from tests.unit.diagnosis.snapshots import (
    Object,
    a_daemon_set,
    a_node,
    a_pod,
    a_policy,
    a_snapshot,
    a_warning,
    an_operator,
    gpu_nodes,
    running,
    waiting,
)

POLICY = ObjectWant(ObjectRef("nvidia.com/v1", "ClusterPolicy", "cluster-policy"), ClusterPolicyReady())
CONTAINERD = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: "
    'no runtime for "nvidia" is configured'
)
CRIO = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to find runtime handler nvidia from "
    "runtime list map[crun:0xc0 runc:0xc1]"
)
DRIVER, TOOLKIT, PLUGIN = (f"nvidia-{name}-daemonset" for name in ("driver", "container-toolkit", "device-plugin"))
VALIDATOR = "nvidia-operator-validator"
BUILDING = Diagnosis(
    [f"{DRIVER} on gpu-0: NotReady", "container nvidia-driver-ctr runs and is not ready"], weight=Weight.WAITING
)


STATES = "state-driver state-container-toolkit state-operator-validation state-device-plugin state-mig-manager"


def an_unready_policy() -> Object:
    """One that names most of its states as not ready, as in an install."""
    return a_policy(error=("True", "OperandNotReady", f"ClusterPolicy is not ready; states not ready: [{STATES}]"))


def diagnosed(*objects: Object | list[Object]) -> Diagnosis:
    return diagnose_wants(a_snapshot(an_operator(), gpu_nodes(), *objects), [POLICY])


def an_operand(policy: Object, name: str, *statuses: Object, init: int = 0, **spec: Any) -> list[Object]:
    operand = a_daemon_set(name, policy, desired=1, **spec)
    return [operand, a_pod(operand, "gpu-0", *statuses, init=init)]


def a_building_driver(policy: Object) -> list[Object]:
    return an_operand(policy, DRIVER, running("nvidia-driver-ctr", ready=False))


def a_refused(policy: Object, name: str, text: str, at: str = "2026-01-01T00:20:00Z") -> list[Object]:
    """An operand whose sandbox is refused."""
    operand, pod = an_operand(
        policy,
        name,
        waiting("toolkit-validation", "PodInitializing"),
        waiting("ctr", "PodInitializing"),
        init=1,
    )
    return [operand, pod, a_warning(pod, "FailedCreatePodSandBox", text, at)]


def a_toolkit(policy: Object, since: str = "") -> list[Object]:
    """At work since a time; without one, it waits for the driver."""
    waits = [running("driver-validation", ready=False), waiting("nvidia-container-toolkit-ctr", "PodInitializing")]
    if not since:
        return an_operand(policy, TOOLKIT, *waits, init=1)
    toolkit, pod = an_operand(policy, TOOLKIT, running("nvidia-container-toolkit-ctr"))
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
    return [toolkit, {**pod, "status": {**pod["status"], "conditions": [ready]}}]


@pytest.mark.parametrize("text", [CONTAINERD, CRIO])
def test_sandboxes_that_are_refused_until_the_toolkit_is_there_only_wait(text: str) -> None:
    policy = an_unready_policy()
    found = diagnosed(
        policy,
        a_building_driver(policy),
        a_toolkit(policy),
        *(a_refused(policy, name, text) for name in (VALIDATOR, PLUGIN)),
    )
    assert found == BUILDING


def test_while_all_is_ready_but_the_sandbox_is_tried_again_it_is_the_toolkit_that_is_told() -> None:
    policy = an_unready_policy()
    driver = an_operand(policy, DRIVER, running("nvidia-driver-ctr"))
    found = diagnosed(policy, driver, a_toolkit(policy, "2026-01-01T00:20:01Z"), a_refused(policy, PLUGIN, CONTAINERD))
    assert found == Diagnosis(
        [f"{PLUGIN} on gpu-0: FailedCreatePodSandBox", "the container toolkit has not brought the runtime nvidia yet"],
        weight=Weight.WAITING,
    )


def test_a_runtime_that_the_toolkit_did_not_bring_is_broken() -> None:
    policy = an_unready_policy()
    driver = an_operand(policy, DRIVER, running("nvidia-driver-ctr"))
    found = diagnosed(policy, driver, a_toolkit(policy, "2026-01-01T00:10:00Z"), a_refused(policy, PLUGIN, CONTAINERD))
    assert (found.causes[-1], found.weight) == (
        "the container toolkit is ready, and the container runtime knows no nvidia",
        Weight.BROKEN,
    )
    assert found.hint == (
        "see what the toolkit wrote on gpu-0: kubectl logs -n gpu-operator nvidia-container-toolkit-daemonset-gpu-0; "
        "then restart the runtime"
    )


def test_a_runtime_that_no_toolkit_is_to_bring_is_broken() -> None:
    policy = an_unready_policy()
    found = diagnosed(policy, a_refused(policy, PLUGIN, CONTAINERD))
    assert (found.causes[-1], found.weight) == (
        "the container runtime knows no nvidia, and no container toolkit is there to bring it",
        Weight.BROKEN,
    )


def test_a_broken_driver_is_told_among_refused_sandboxes() -> None:
    policy = an_unready_policy()
    crash = waiting("nvidia-driver-ctr", "CrashLoopBackOff", "back-off 10s", "no headers for kernel 5.14")
    driver = an_operand(policy, DRIVER, crash)
    found = diagnosed(policy, driver, a_toolkit(policy), a_refused(policy, PLUGIN, CONTAINERD))
    assert (found.causes, found.weight) == (
        [f"{DRIVER} on gpu-0: CrashLoopBackOff", "no headers for kernel 5.14"],
        Weight.BROKEN,
    )


def test_a_sandbox_that_is_refused_for_another_reason_is_broken() -> None:
    policy = an_unready_policy()
    text = 'Failed to create pod sandbox: plugin type="calico" failed: no IP addresses left'
    assert diagnosed(policy, a_building_driver(policy), a_refused(policy, PLUGIN, text)).weight == Weight.BROKEN


def test_a_refusal_of_before_a_container_started_is_over() -> None:
    policy = an_unready_policy()
    operand, pod, refusal = a_refused(policy, PLUGIN, CONTAINERD.replace("no runtime", "no room, no runtime"))
    started = {
        "name": "toolkit-validation",
        "ready": False,
        "state": {"running": {"startedAt": "2026-01-01T00:21:00Z"}},
    }
    pod["status"]["initContainerStatuses"] = [started]
    assert diagnosed(policy, operand, pod, refusal).causes == [
        f"{PLUGIN} on gpu-0: NotReady",
        "container toolkit-validation runs and is not ready",
    ]


def a_validator(policy: Object, container: str) -> list[Object]:
    failed = waiting(container, "CrashLoopBackOff", "back-off 10s", "nothing to validate")
    return an_operand(policy, VALIDATOR, failed, waiting("nvidia-operator-validator", "PodInitializing"), init=1)


def test_a_validation_that_fails_while_its_operand_is_not_ready_only_waits() -> None:
    policy = an_unready_policy()
    assert diagnosed(policy, a_building_driver(policy), a_validator(policy, "driver-validation")) == BUILDING
    driver = an_operand(policy, DRIVER, running("nvidia-driver-ctr"))
    missing = a_daemon_set(PLUGIN, policy, desired=1, current=0)
    assert diagnosed(policy, driver, missing, a_validator(policy, "plugin-validation")).weight == Weight.WAITING


def test_a_validation_that_fails_while_its_operand_is_ready_is_broken() -> None:
    policy = an_unready_policy()
    driver = an_operand(policy, DRIVER, running("nvidia-driver-ctr"))
    found = diagnosed(policy, driver, a_validator(policy, "driver-validation"))
    assert (found.causes[-1], found.weight) == ("nothing to validate", Weight.BROKEN)


def test_a_validation_of_a_driver_in_the_image_of_the_node_is_broken_by_itself() -> None:
    policy = an_unready_policy()
    elsewhere = a_daemon_set(DRIVER, policy, desired=0)
    assert diagnosed(policy, elsewhere, a_validator(policy, "driver-validation")).weight == Weight.BROKEN


def test_operands_that_no_node_is_labelled_for_are_no_cause() -> None:
    policy = an_unready_policy()
    idle = [
        a_daemon_set(name, policy, desired=0)
        for name in ("nvidia-mig-manager", "nvidia-device-plugin-mps-control-daemon")
    ]
    assert diagnosed(policy, a_building_driver(policy), idle) == BUILDING


def test_a_runtime_class_that_is_not_there_yet_ends_no_wait() -> None:
    policy = an_unready_policy()
    operand = a_daemon_set(PLUGIN, policy, desired=1, current=0)
    text = 'Error creating: pods "x-" is forbidden: pod rejected: RuntimeClass "nvidia" not found'
    found = diagnosed(policy, operand, a_warning(operand, "FailedCreate", text))
    assert (found.causes[-1], found.weight) == ("RuntimeClass nvidia does not exist", Weight.BLOCKED)


def labelled(node: Object, label: str) -> Object:
    key, _, value = label.partition("=")
    return {**node, "metadata": {**node["metadata"], "labels": {**node["metadata"]["labels"], key: value}}}


def test_an_upgrade_that_failed_is_told_with_its_way_out() -> None:
    failed = labelled(a_node("gpu-2"), "nvidia.com/gpu-driver-upgrade-state=upgrade-failed")
    found = diagnosed(an_unready_policy(), failed)
    assert found == Diagnosis(
        ["the upgrade of the driver on gpu-2 failed, and is not tried again"],
        "once its driver's pod runs: "
        "kubectl label node gpu-2 nvidia.com/gpu-driver-upgrade-state=upgrade-required --overwrite",
        Weight.BROKEN,
    )


def test_gpus_that_the_mig_manager_takes_away_for_a_while_end_no_wait() -> None:
    want = GpuUnitsWant.of(["nvidia.com/gpu"], 8, gpu_nodes_want(1, ()))
    node = labelled(a_node("gpu-0", gpus=0), "feature.node.kubernetes.io/pci-10de.present=true")
    found = diagnose_wants(a_snapshot(labelled(node, "nvidia.com/mig.config.state=pending")), [want])
    assert found == Diagnosis(["the MIG manager is at work on gpu-0"], weight=Weight.WAITING)
    done = a_snapshot(labelled(node, "nvidia.com/mig.config.state=success"))
    assert diagnose_wants(done, [want]).weight == Weight.BROKEN
