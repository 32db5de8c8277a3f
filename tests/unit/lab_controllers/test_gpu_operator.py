"""The operator's decisions, from one moment of a cluster to what it would do."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operator as gpu_operator
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operator import (
    Verdict,
    daemonset_ready,
    desired_labels,
    desired_status,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import (
    active_policy,
)
from aiinfra.domains.kubernetes.lab.controllers.view import Object
from tests.unit.lab_controllers.world import (
    MOMENT,
    NAMESPACE,
    NOW,
    a_gpu_node,
    a_node,
    a_policy,
    a_view,
    an_object,
    an_operator,
    finished,
    made,
    status_of,
)


def test_everything_available_is_ready_reconciled() -> None:
    policy = a_policy()
    status = status_of(a_view(an_operator(), policy, a_gpu_node(), *finished(policy)))
    assert status["state"] == "ready"
    assert status["namespace"] == "gpu-operator"
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in status["conditions"]] == [
        ("Ready", "True", "Reconciled", "ClusterPolicy is ready as all resources have been successfully reconciled"),
        ("Error", "False", "Ready", ""),
    ]


@pytest.mark.parametrize(
    ("nodes", "reason", "message"),
    [
        ([a_node(labels={})], "NFDLabelsMissing", "No NFD labels found"),
        (
            [a_node(gpus=0, labels={"feature.node.kubernetes.io/kernel-version.full": "6.8.0"})],
            "NoGPUNodes",
            "No GPU node found, watching for new nodes to join the cluster.",
        ),
    ],
)
def test_without_gpu_nodes_the_state_is_ready_all_the_same(nodes: list[Object], reason: str, message: str) -> None:
    status = status_of(a_view(an_operator(), a_policy(), *nodes))
    ready = status["conditions"][0]
    assert (status["state"], ready["status"], ready["reason"], ready["message"]) == ("ready", "True", reason, message)


def test_what_is_not_available_is_named_by_its_state() -> None:
    policy = a_policy()
    sets = finished(policy)
    sets[0]["status"] |= {"numberAvailable": 0, "numberUnavailable": 1}
    status = status_of(a_view(an_operator(), policy, a_gpu_node(), *sets))
    assert status["state"] == "notReady"
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in status["conditions"]] == [
        ("Ready", "False", "Error", ""),
        (
            "Error",
            "True",
            "OperandNotReady",
            "ClusterPolicy is not ready; states not ready: [state-driver]",
        ),
    ]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"driver": {"repository": "registry.example", "image": "driver"}},
            "Failed to reconcile state-driver: invalid image specification: repository, image and version must all be"
            " set (repository=registry.example, image=driver, version=)",
        ),
        (
            {"devicePlugin": {"version": "v0.20.0"}},
            "Failed to reconcile state-device-plugin: invalid image specification: repository, image and version must"
            " all be set (repository=, image=, version=v0.20.0)",
        ),
        (
            {"cdi": {"enabled": False, "nriPluginEnabled": True}},
            "error validating clusterpolicy: the NRI Plugin cannot be enabled when CDI is disabled",
        ),
    ],
)
def test_a_policy_that_cannot_be_acted_on_says_why(spec: dict[str, Any], message: str) -> None:
    error = status_of(a_view(an_operator(), a_policy(**spec), a_gpu_node()))["conditions"][1]
    assert (error["status"], error["reason"], error["message"]) == ("True", "ReconcileFailed", message)


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    before = {"type": "Ready", "status": "False", "reason": "Error", "lastTransitionTime": "2026-11-22T10:00:00Z"}
    policy = a_policy() | {"status": {"conditions": [before]}}
    status = desired_status(policy, Verdict(False, "OperandNotReady", "still"), NAMESPACE, NOW)
    assert [c["lastTransitionTime"] for c in status["conditions"]] == ["2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z"]


@pytest.mark.parametrize("operator", [None, an_operator(available=0)])
def test_while_the_operator_does_not_run_nothing_happens(operator: Object | None) -> None:
    objects = [operator] if operator else []
    assert list(gpu_operator.reconcile(a_view(*objects, a_policy(), a_gpu_node()), MOMENT)) == []


def test_the_oldest_policy_is_the_one_that_counts() -> None:
    younger = a_policy()
    older = an_object("nvidia.com/v1", "ClusterPolicy", "older")
    older["metadata"]["creationTimestamp"] = "2026-11-22T10:00:00Z"
    assert active_policy([younger, older]) is older


NFD_GPU = {"feature.node.kubernetes.io/pci-10de.present": "true"}
DEPLOY = "nvidia.com/gpu.deploy."


@pytest.mark.parametrize(
    ("has", "says"),
    [
        (NFD_GPU, {"nvidia.com/gpu.present": "true", DEPLOY + "driver": "true"}),
        ({"feature.node.kubernetes.io/pci-0302_10de.present": "true"}, {"nvidia.com/gpu.present": "true"}),
        ({**NFD_GPU, DEPLOY + "driver": "paused"}, {DEPLOY + "driver": "paused"}),
        ({**NFD_GPU, "nvidia.com/mig.capable": "true"}, {"nvidia.com/mig.config": "all-disabled"}),
        ({**NFD_GPU, "nvidia.com/mig.capable": "true"}, {DEPLOY + "mig-manager": "true"}),
        (
            {**NFD_GPU, DEPLOY + "operands": "false", DEPLOY + "driver": "true"},
            {"nvidia.com/gpu.present": "true", DEPLOY + "driver": None},
        ),
        (
            {"nvidia.com/gpu.present": "true", DEPLOY + "driver": "true"},
            {"nvidia.com/gpu.present": "false", DEPLOY + "driver": None},
        ),
        ({"kubernetes.io/os": "linux"}, {}),
    ],
)
def test_node_labels_follow_nfds_and_keep_what_people_set(has: dict[str, str], says: dict[str, str | None]) -> None:
    policy = a_policy(migManager={"config": {"default": "all-disabled"}})
    assert says.items() <= desired_labels(has, policy).items()


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({}, False),
        ({"observedGeneration": 1}, True),
        ({"observedGeneration": 1, "desiredNumberScheduled": 0}, True),
        ({"observedGeneration": 0, "desiredNumberScheduled": 0}, False),
        ({"observedGeneration": 1, "desiredNumberScheduled": 2, "numberAvailable": 1, "numberUnavailable": 1}, False),
        (
            {
                "observedGeneration": 1,
                "desiredNumberScheduled": 2,
                "numberAvailable": 2,
                "updatedNumberScheduled": 1,
            },
            False,
        ),
    ],
)
def test_a_daemonset_is_ready_when_all_its_pods_are_new_and_available(status: dict[str, int], *, ready: bool) -> None:
    daemonset = an_object("apps/v1", "DaemonSet", "d", spec={"updateStrategy": {"type": "RollingUpdate"}})
    daemonset["metadata"]["generation"] = 1
    assert daemonset_ready({**daemonset, "status": status}) is ready


def test_programs_are_told_what_the_policy_says_of_modules_and_mig() -> None:
    manager = {"repository": "r", "image": "manager", "version": "1", "env": [{"name": "DRAIN", "value": "true"}]}
    policy = a_policy(driver={"kernelModuleType": "open", "manager": manager}, mig={"strategy": "mixed"})
    pods = {name: daemonset["spec"]["template"]["spec"] for name, daemonset in made(policy).items()}
    told = {
        (name, each["name"], each["value"])
        for name, pod in pods.items()
        for container in (*pod["initContainers"], *pod["containers"])
        for each in container.get("env") or ()
        if each["name"] != "DRIVER_CONFIG_DIGEST"
    }
    assert told == {
        ("nvidia-driver-daemonset", "DRAIN", "true"),
        ("nvidia-driver-daemonset", "KERNEL_MODULE_TYPE", "open"),
        ("nvidia-device-plugin-daemonset", "MIG_STRATEGY", "mixed"),
        ("nvidia-device-plugin-mps-control-daemon", "MIG_STRATEGY", "mixed"),
        ("gpu-feature-discovery", "MIG_STRATEGY", "mixed"),
    }
