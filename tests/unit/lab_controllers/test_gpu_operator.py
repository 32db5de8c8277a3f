"""The operator's decisions, from one moment of a cluster to what it would do."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operator as gpu_operator
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.belongings import desired
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import daemonsets
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operator import (
    Verdict,
    daemonset_ready,
    desired_labels,
    desired_status,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import (
    Irreconcilable,
    OsInfo,
    active_policy,
    driver_image,
)
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View
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
)

UBUNTU = OsInfo("ubuntu24.04", {"6.8.0-85-generic": "ubuntu24.04"})


def status_of(view: View) -> dict[str, Any]:
    """The status that the operator writes now."""
    patches = [e for e in gpu_operator.reconcile(view, MOMENT) if isinstance(e, Patch) and e.subresource == "status"]
    assert len(patches) == 1
    return dict(patches[0].body["status"])


def made(policy: Object, info: OsInfo = UBUNTU) -> dict[str, Object]:
    return {d["metadata"]["name"]: d for _, sets in daemonsets(policy, NAMESPACE, info) for d in sets}


def finished(policy: Object) -> list[Object]:
    """The policy's DaemonSets with every pod available."""
    sets = list(made(policy).values())
    for daemonset in sets:
        daemonset["metadata"] |= {"generation": 1, "uid": "x"}
        counts = ("desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled", "observedGeneration")
        daemonset["status"] = dict.fromkeys(counts, 1)
    return sets


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


def test_the_daemonsets_come_in_the_operators_order_with_their_real_names() -> None:
    assert list(made(a_policy(nodeStatusExporter={"enabled": True}))) == [
        "nvidia-driver-daemonset",
        "nvidia-container-toolkit-daemonset",
        "nvidia-operator-validator",
        "nvidia-device-plugin-daemonset",
        "nvidia-device-plugin-mps-control-daemon",
        "nvidia-dcgm",
        "nvidia-dcgm-exporter",
        "gpu-feature-discovery",
        "nvidia-mig-manager",
        "nvidia-node-status-exporter",
    ]


def test_a_daemonset_is_bound_to_its_deploy_label_and_owned_by_the_policy() -> None:
    daemonset = made(a_policy())["nvidia-device-plugin-daemonset"]
    pod = daemonset["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"nvidia.com/gpu.deploy.device-plugin": "true"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert [c["name"] for c in pod["initContainers"]] == ["toolkit-validation"]
    (owner,) = daemonset["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ClusterPolicy", "cluster-policy", True)


def test_tolerations_of_the_policy_replace_the_default() -> None:
    other = [{"key": "dedicated", "operator": "Exists"}]
    daemonset = made(a_policy(daemonsets={"tolerations": other}))["nvidia-driver-daemonset"]
    assert daemonset["spec"]["template"]["spec"]["tolerations"] == other


@pytest.mark.parametrize(
    ("driver", "info", "image"),
    [
        ({}, UBUNTU, "nvcr.io/nvidia/driver:595.91.07-ubuntu24.04"),
        (
            {"repository": "r.example/nvidia", "image": "driver", "version": "580.105.08"},
            OsInfo("rhel9", {}),
            "r.example/nvidia/driver:580.105.08-rhel9",
        ),
        (
            {"repository": "r.example", "image": "driver", "version": "sha256:abc"},
            UBUNTU,
            "r.example/driver@sha256:abc",
        ),
    ],
)
def test_the_drivers_image_ends_in_the_os_of_the_first_gpu_node(
    driver: dict[str, str], info: OsInfo, image: str
) -> None:
    assert driver_image(a_policy(driver=driver), info) == image


def test_precompiled_drivers_have_a_daemonset_for_each_kernel() -> None:
    driver = {"usePrecompiled": True, "repository": "nvcr.io/nvidia", "image": "driver", "version": "595"}
    kernels = OsInfo("ubuntu24.04", {"6.8.0-85-generic": "ubuntu24.04", "5.14.0-570.el9.x86_64": "rhel9.6"})
    sets = {name: each for name, each in made(a_policy(driver=driver), kernels).items() if "driver" in name}
    assert list(sets) == [
        "nvidia-driver-daemonset-6.8.0-85-generic-ubuntu24.04",
        "nvidia-driver-daemonset-5.14.0-570.el9-rhel9.6",
    ]
    for daemonset in sets.values():
        assert daemonset["spec"]["selector"] == {"matchLabels": {"app": "nvidia-driver-daemonset"}}
        assert daemonset["spec"]["template"]["metadata"]["labels"] == {
            "app": "nvidia-driver-daemonset",
            "app.kubernetes.io/component": "nvidia-driver",
            "nvidia.com/precompiled": "true",
        }


@pytest.mark.parametrize(
    ("spec", "absent"),
    [
        ({"driver": {"enabled": False}}, "nvidia-driver-daemonset"),
        ({"driver": {"useNvidiaDriverCRD": True}}, "nvidia-driver-daemonset"),
        ({"toolkit": {"enabled": False}}, "nvidia-container-toolkit-daemonset"),
        ({"migManager": {"enabled": False}}, "nvidia-mig-manager"),
        ({}, "nvidia-node-status-exporter"),
    ],
)
def test_a_disabled_component_has_no_daemonset(spec: dict[str, Any], absent: str) -> None:
    assert absent not in made(a_policy(**spec))


def test_a_component_that_is_turned_off_loses_its_daemonset() -> None:
    policy = a_policy(dcgm={"enabled": False})
    view = a_view(an_operator(), policy, a_gpu_node(), *finished(a_policy()))
    removed = [e.ref.name for e in gpu_operator.reconcile(view, MOMENT) if isinstance(e, Remove)]
    assert removed == ["nvidia-dcgm"]


def test_what_stands_as_wanted_is_not_applied_again() -> None:
    policy = a_policy()
    view = a_view(an_operator(), policy, a_gpu_node(), *desired(policy, NAMESPACE), *finished(policy))
    assert [e for e in gpu_operator.reconcile(view, MOMENT) if isinstance(e, Apply)] == []


def test_daemonsets_come_once_what_their_pods_need_is_there() -> None:
    policy = a_policy()
    first = gpu_operator.reconcile(a_view(an_operator(), policy, a_gpu_node()), MOMENT)
    assert "DaemonSet" not in {e.obj["kind"] for e in first if isinstance(e, Apply)}
    view = a_view(an_operator(), policy, a_gpu_node(), *desired(policy, NAMESPACE))
    assert {e.obj["kind"] for e in gpu_operator.reconcile(view, MOMENT) if isinstance(e, Apply)} == {"DaemonSet"}


def test_a_gpu_node_without_os_labels_stops_the_operator() -> None:
    bare = a_node(labels={"nvidia.com/gpu.present": "true"})
    error = status_of(a_view(an_operator(), a_policy(), bare))["conditions"][1]
    assert error["message"] == (
        "failed to retrieve GPU node OS info: "
        "unable to retrieve OS name from label feature.node.kubernetes.io/system-os_release.ID"
    )
    assert Irreconcilable("x").args == ("x",)


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
