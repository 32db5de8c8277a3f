"""A ClusterPolicy that is not ready: the root is named, not what waits for it."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_wants
from aiinfra.domains.kubernetes.objects.wants import AllocatableWant
from aiinfra.report.causes import roots
from tests.unit.diagnosis.snapshots import (
    DRIVER_IMAGE,
    KERNEL,
    a_daemon_set,
    a_deployment,
    a_driver,
    a_node,
    a_pod,
    a_policy,
    a_replica_set,
    a_snapshot,
    a_victim,
    a_warning,
    an_operator,
    an_unscheduled_pod,
    conditions,
    diagnosed,
    gpu_nodes,
    running,
    waiting,
)


def test_an_image_that_does_not_exist_for_the_kernel() -> None:
    policy = a_policy()
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, a_victim(policy), a_driver(policy, "gpu-0")))
    assert found == Diagnosis(
        [
            "nvidia-driver-daemonset on gpu-0: ImagePullBackOff",
            f"image {DRIVER_IMAGE} for kernel {KERNEL} does not exist",
        ],
        "set driver.version to one that is published for this system, or driver.precompiled to false",
        Weight.BROKEN,
    )


def test_a_driver_that_finds_no_headers_for_the_kernel() -> None:
    policy, last = a_policy(), f"Could not resolve Linux kernel version: no headers for kernel {KERNEL}"
    crash = waiting("nvidia-driver-ctr", "CrashLoopBackOff", "back-off 10s restarting", last)
    driver = a_driver(policy, "gpu-0", "gpu-1", status=crash, image="nvcr.io/nvidia/driver:595.91.07-rhel9")
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, driver, a_victim(policy)))
    assert found.causes == ["nvidia-driver-daemonset on gpu-0 and gpu-1: CrashLoopBackOff", last]
    assert found.hint == (
        f"set driver.version to one that supports kernel {KERNEL}, or boot the nodes with a kernel that it supports"
    )


@pytest.mark.parametrize(
    ("last", "hint"),
    [
        (
            "NVRM: The NVIDIA GPU 0000:10:00.0 (PCI ID: 10de:2901) installed in this system requires use of the NVIDIA"
            " open kernel modules. nvidia-smi: No devices were found",
            "set driver.kernel_module_type: open",
        ),
        (
            "NVRM: The NVIDIA GPU 0000:10:00.0 (PCI ID: 10de:1db1) installed in this system is not supported by open"
            " nvidia.ko because it does not include the required GPU System Processor (GSP)",
            "set driver.kernel_module_type: proprietary",
        ),
        (
            "NVRM: The NVIDIA GPU 0000:10:00.0 (PCI ID: 10de:2901) installed in this system is not supported by the"
            " NVIDIA 535.183.06 driver release",
            "set driver.version to one that drives these GPUs; 535.183.06 does not",
        ),
        (
            "Could not resolve Linux kernel version 5.15.0-1-generic: the image is made for ubuntu24.04",
            "give all nodes with GPUs one system; the operator takes the driver's image by that of the first node",
        ),
    ],
)
def test_a_driver_that_does_not_drive_its_gpus(last: str, hint: str) -> None:
    policy = a_policy()
    crash = waiting("nvidia-driver-ctr", "CrashLoopBackOff", "back-off 10s restarting", last)
    driver = a_driver(policy, "gpu-0", "gpu-1", status=crash, image="nvcr.io/nvidia/driver:595.91.07-rhel9")
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, driver, a_victim(policy)))
    assert (found.causes[-1], found.hint) == (last, hint)


def test_many_nodes_are_counted_after_the_second() -> None:
    policy = a_policy()
    nodes = [a_node(f"gpu-{number}") for number in range(5)]
    driver = a_driver(policy, *(f"gpu-{number}" for number in range(5)))
    assert diagnosed(a_snapshot(an_operator(), nodes, policy, driver)).causes[0] == (
        "nvidia-driver-daemonset on gpu-0, gpu-1 and 3 more: ImagePullBackOff"
    )


def not_ready(*states: str, before: str = "; ") -> tuple[str, str, str]:
    """The condition Error of a policy whose operator waits for these states."""
    return ("True", "OperandNotReady", f"ClusterPolicy is not ready{before}states not ready: [{' '.join(states)}]")


@pytest.mark.parametrize("before", ["; ", ", "], ids=["v26.7.0", "v25.3.4"])
def test_the_root_is_an_operand_of_a_state_that_the_condition_names(before: str) -> None:
    policy = a_policy(error=not_ready("state-driver", before=before))
    mps = a_daemon_set("nvidia-device-plugin-mps-control-daemon", policy, desired=0)
    mig = a_daemon_set("nvidia-mig-manager", policy, desired=0)
    driver = a_driver(policy, "gpu-0", status=running("nvidia-driver-ctr", ready=False))
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, mps, mig, driver))
    assert found.causes == [
        "nvidia-driver-daemonset on gpu-0: NotReady",
        "container nvidia-driver-ctr runs and is not ready",
    ]
    assert found.hint == ""


def test_a_precompiled_driver_belongs_to_the_state_of_the_driver() -> None:
    policy = a_policy(error=not_ready("state-driver"))
    driver = a_daemon_set(f"nvidia-driver-daemonset-{KERNEL}-rhel9", policy)
    pod = a_pod(driver, "gpu-0", running("nvidia-driver-ctr", ready=False))
    mig = a_daemon_set("nvidia-mig-manager", policy, desired=0)
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, mig, [driver, pod]))
    assert found.causes[0] == f"nvidia-driver-daemonset-{KERNEL}-rhel9 on gpu-0: NotReady"


def test_a_state_that_is_not_known_hides_no_operand() -> None:
    policy = a_policy(error=not_ready("state-of-tomorrow"))
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, a_driver(policy, "gpu-0")))
    assert found.causes[0] == "nvidia-driver-daemonset on gpu-0: ImagePullBackOff"


def test_two_causes_at_once_are_both_named() -> None:
    policy = a_policy(error=not_ready("state-driver", "state-dcgm-exporter"))
    exporter = a_daemon_set("nvidia-dcgm-exporter", policy)
    denied = waiting("dcgm", "ErrImagePull", "failed to authorize: 401 Unauthorized")
    found = diagnosed(
        a_snapshot(
            an_operator(),
            gpu_nodes(),
            policy,
            a_driver(policy, "gpu-0"),
            [exporter, a_pod(exporter, "gpu-1", denied, image="nvcr.io/dcgm:4")],
        )
    )
    first = f"image {DRIVER_IMAGE} for kernel {KERNEL} does not exist"
    other = (
        "and also nvidia-dcgm-exporter on gpu-1: ErrImagePull, as the registry refuses to give image nvcr.io/dcgm:4: "
        "the pull secret is missing or wrong"
    )
    assert found.causes == ["nvidia-driver-daemonset on gpu-0: ImagePullBackOff", first, other]
    assert roots(found.causes) == f"{first}, {other}"
    assert roots(()) == ""


def test_a_broken_pod_of_others_is_no_cause() -> None:
    policy = a_policy()
    other = a_deployment("shop", "default")
    replicas = a_replica_set(other)
    crash = waiting("web", "CrashLoopBackOff", last="out of stock")
    found = diagnosed(
        a_snapshot(
            [other, replicas, a_pod(replicas, "gpu-0", crash)],
            an_operator(),
            gpu_nodes(),
            policy,
            a_driver(policy, "gpu-0"),
        )
    )
    assert found.causes == [
        "nvidia-driver-daemonset on gpu-0: ImagePullBackOff",
        f"image {DRIVER_IMAGE} for kernel {KERNEL} does not exist",
    ]


def test_a_driver_image_that_does_not_exist_for_the_system() -> None:
    policy, image = a_policy(), "nvcr.io/nvidia/driver:595.91.07-rhel9"
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, a_driver(policy, "gpu-0", image=image)))
    assert found.causes[1:] == [f"image {image} does not exist"]
    assert found.hint == "set driver.version to one that is published for this system, or bring it into the registry"


def test_operands_that_no_node_takes_for_its_taint() -> None:
    policy, taint = a_policy(), {"key": "dedicated", "value": "ml", "effect": "NoSchedule"}
    driver = a_daemon_set("nvidia-driver-daemonset", policy, desired=0)
    snapshot = a_snapshot(an_operator(), a_node("gpu-0", taints=[taint]), policy, driver)
    assert diagnosed(snapshot).causes == [
        "nvidia-driver-daemonset may not run on gpu-0, which has the taint dedicated=ml:NoSchedule"
    ]


def test_a_node_that_is_not_ready_counts_where_it_has_gpus_or_bears_the_operator() -> None:
    gone = [a_node("gpu-0"), a_node("cpu-0"), a_node("cpu-1")]
    for node in gone:
        node["status"]["conditions"] = conditions(("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting."))
    for node in gone[1:]:
        node["metadata"]["labels"] = {}
    assert diagnosed(a_snapshot(an_operator(), gone, a_policy())).causes == [
        "node gpu-0 is not ready: Kubelet stopped posting",
        "and also node cpu-0 is not ready: Kubelet stopped posting",
    ]


def test_operands_that_match_no_node() -> None:
    policy = a_policy()
    driver = a_daemon_set("nvidia-driver-daemonset", policy, desired=0)
    driver["spec"]["template"]["spec"]["nodeSelector"] = {"nvidia.com/gpu.deploy.driver": "true"}
    assert diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, driver)).causes == [
        "nvidia-driver-daemonset matches no node: none is labelled nvidia.com/gpu.deploy.driver=true"
    ]


def test_a_gpu_node_whose_taint_keeps_the_operands_off() -> None:
    policy, taint = a_policy(("True", "Reconciled", ""), ("False", "Ready", "")), {"key": "ml", "effect": "NoSchedule"}
    driver, plugin = (
        a_daemon_set(f"nvidia-{each}-daemonset", policy, desired=1) for each in ("driver", "device-plugin")
    )
    pods = [a_pod(each, "gpu-0", running("c")) for each in (driver, plugin)]
    nodes = [a_node("gpu-0"), a_node("gpu-1", gpus=0, taints=[taint])]
    found = diagnose_wants(
        a_snapshot(an_operator(), nodes, policy, driver, plugin, pods), [AllocatableWant("nvidia.com/gpu", 16)]
    )
    assert found.causes == ["nvidia-driver-daemonset may not run on gpu-1, which has the taint ml:NoSchedule"]


def test_an_old_refusal_is_no_cause_once_the_pods_are_there() -> None:
    policy = a_policy()
    driver = a_driver(policy, "gpu-0")
    old = a_warning(driver[0], "FailedCreate", "exceeded quota: gpu-quota")
    assert diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, driver, old)).causes[0] == (
        "nvidia-driver-daemonset on gpu-0: ImagePullBackOff"
    )


def test_pods_that_no_node_takes() -> None:
    policy = a_policy()
    plugin = a_daemon_set("nvidia-device-plugin-daemonset", policy)
    pod = an_unscheduled_pod(plugin, "0/2 nodes are available: 2 node(s) had untolerated taint(s) {dedicated: ml}.")
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, plugin, pod))
    assert found.causes == [
        "nvidia-device-plugin-daemonset: Unschedulable",
        "no node may take it, for taint dedicated: ml: "
        "0/2 nodes are available: 2 node(s) had untolerated taint(s) {dedicated: ml}",
    ]


def test_when_all_only_wait_the_first_of_the_order_is_told() -> None:
    policy = a_policy()
    slow = a_driver(policy, "gpu-0", status=running("nvidia-driver-ctr", ready=False))
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, a_victim(policy), slow))
    assert found.causes[:2] == [
        "nvidia-driver-daemonset on gpu-0: NotReady",
        "container nvidia-driver-ctr runs and is not ready",
    ]
    assert found.weight == Weight.WAITING
