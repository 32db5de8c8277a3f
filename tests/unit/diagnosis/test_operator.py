"""A ClusterPolicy that is not ready for its operator, its definition, a quota or the labels of NFD."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_wants
from aiinfra.domains.kubernetes.objects.wants import NodesWant
from tests.unit.diagnosis.snapshots import (
    DRIVER_IMAGE,
    KERNEL,
    Object,
    a_crd,
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
    conditions,
    diagnosed,
    gpu_nodes,
    running,
    waiting,
)


def test_the_operator_comes_before_what_it_makes() -> None:
    policy = a_policy()
    deployment = a_deployment("gpu-operator", available=0, app="gpu-operator")
    replicas = a_replica_set(deployment)
    crash = waiting("gpu-operator", "CrashLoopBackOff", last="panic: no more memory")
    snapshot = a_snapshot(a_crd(), deployment, replicas, a_pod(replicas, "cpu-0", crash), policy, a_victim(policy))
    assert diagnosed(snapshot).causes == ["gpu-operator on cpu-0: CrashLoopBackOff", "panic: no more memory"]


def test_the_operator_and_an_operand_that_broke_each_by_itself_are_both_named() -> None:
    policy = a_policy()
    deployment = a_deployment("gpu-operator", app="gpu-operator")
    replicas = a_replica_set(deployment)
    crash = waiting("gpu-operator", "CrashLoopBackOff", last="panic: no more memory")
    broken = [deployment, replicas, a_pod(replicas, "cpu-0", crash)]
    assert diagnosed(a_snapshot(a_crd(), broken, gpu_nodes(), policy, a_driver(policy, "gpu-0"))).causes == [
        "gpu-operator on cpu-0: CrashLoopBackOff",
        "panic: no more memory",
        "and also nvidia-driver-daemonset on gpu-0: ImagePullBackOff, "
        f"as image {DRIVER_IMAGE} for kernel {KERNEL} does not exist",
    ]


def test_what_an_operator_said_before_it_broke_is_no_cause() -> None:
    policy = a_policy(error=("True", "ReconcileFailed", "version must be set"))
    deployment = a_deployment("gpu-operator", available=0, app="gpu-operator")
    replicas = a_replica_set(deployment)
    crash = waiting("gpu-operator", "CrashLoopBackOff", last="panic: no more memory")
    snapshot = a_snapshot(a_crd(), deployment, replicas, a_pod(replicas, "cpu-0", crash), policy)
    assert diagnosed(snapshot).causes == ["gpu-operator on cpu-0: CrashLoopBackOff", "panic: no more memory"]


def test_a_definition_that_is_not_there() -> None:
    snapshot = a_snapshot(a_deployment("gpu-operator", available=0))
    assert diagnosed(snapshot).causes == ["CustomResourceDefinition of ClusterPolicy in nvidia.com does not exist"]


def test_a_definition_that_is_not_established() -> None:
    crd = a_crd()
    crd["status"] = {
        "conditions": conditions(("Established", "False", "Installing", "the initial names are not accepted"))
    }
    assert diagnosed(a_snapshot(crd)).causes == [
        "CustomResourceDefinition clusterpolicies.nvidia.com is not established: the initial names are not accepted"
    ]


def test_a_definition_that_may_not_be_listed_is_not_called_absent() -> None:
    snapshot = a_snapshot(a_policy(), unasked=frozenset({"CustomResourceDefinition", "DaemonSet"}))
    assert diagnosed(snapshot).causes == ["no GPU Operator runs in the cluster"]


def test_an_operator_that_crashes_for_want_of_its_kind() -> None:
    deployment = a_deployment("nfd-master", "nfd", available=0, app="gpu-operator")
    replicas = a_replica_set(deployment)
    crash = waiting(
        "m", "CrashLoopBackOff", last='no matches for kind "NodeFeature" in version "nfd.k8s-sigs.io/v1alpha1"'
    )
    snapshot = a_snapshot(a_crd(), a_policy(), deployment, replicas, a_pod(replicas, "cpu-0", crash))
    assert diagnosed(snapshot).causes == [
        "nfd-master on cpu-0: CrashLoopBackOff",
        "CustomResourceDefinition of NodeFeature in nfd.k8s-sigs.io does not exist",
    ]


def test_a_policy_that_the_operator_refuses() -> None:
    policy = a_policy(error=("True", "ReconcileFailed", "invalid image specification: version must be set"))
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy))
    assert found.causes == ["the operator says ReconcileFailed: invalid image specification: version must be set"]
    assert found.hint == "correct the ClusterPolicy"


def test_quota_that_keeps_the_pods_away() -> None:
    policy = a_policy()
    driver = a_daemon_set("nvidia-driver-daemonset", policy, current=0)
    refused = a_warning(
        driver,
        "FailedCreate",
        "Error creating: insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]",
    )
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), policy, driver, refused))
    assert found.causes == [
        "nvidia-driver-daemonset: its pods are refused",
        "no ResourceQuota allows pods of PriorityClass In [system-node-critical] here",
    ]
    assert found.hint == "make a ResourceQuota for these priority classes in the namespace"


NFD_LABELS = {"app.kubernetes.io/name": "node-feature-discovery"}


def an_idle_policy() -> Object:
    return a_policy(("True", "NFDLabelsMissing", "No NFD labels found"), ("False", "Ready", ""))


def a_worker(**parts: Any) -> Object:
    return a_daemon_set("nfd-worker", namespace="nfd", labels=NFD_LABELS, **parts)


def test_no_labels_for_want_of_nfd() -> None:
    found = diagnosed(a_snapshot(an_operator(), gpu_nodes(), an_idle_policy()))
    assert found.causes == ["no worker of Node Feature Discovery is in the cluster, so nothing labels its nodes"]
    assert found.hint == "add a stack of kind nfd, or set nfd to bundled"


def test_no_labels_as_a_taint_keeps_the_worker_off() -> None:
    taint = {"key": "dedicated", "value": "ml", "effect": "NoExecute"}
    tolerated = {"key": "nvidia.com/gpu", "effect": "NoSchedule"}
    nodes = [a_node("cpu-0"), a_node("gpu-0", taints=[taint, tolerated])]
    worker = a_worker(desired=1, tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}])
    pod = a_pod(worker, "cpu-0", running("worker"))
    assert diagnosed(a_snapshot(an_operator(), nodes, an_idle_policy(), worker, pod)).causes == [
        "nfd-worker may not run on gpu-0, which has the taint dedicated=ml:NoExecute"
    ]


def test_no_labels_as_no_node_has_a_gpu() -> None:
    worker = a_worker(desired=1)
    snapshot = a_snapshot(
        an_operator(), a_node("cpu-0"), an_idle_policy(), worker, a_pod(worker, "cpu-0", running("worker"))
    )
    assert diagnosed(snapshot).causes == ["Node Feature Discovery found no NVIDIA device (PCI vendor 10de) on 1 nodes"]


def test_labels_that_are_awaited_lead_to_nfd() -> None:
    snapshot = a_snapshot(gpu_nodes())
    want = NodesWant(("feature.node.kubernetes.io/pci-10de.present=true",), 2)
    assert diagnose_wants(snapshot, [want]).causes == [
        "no worker of Node Feature Discovery is in the cluster, so nothing labels its nodes"
    ]
