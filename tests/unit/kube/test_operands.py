"""What the GPU Operator makes of a ClusterPolicy is looked at, as its status may be of an earlier spec."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from aiinfra.domains.kubernetes.objects.awaiting import changed
from aiinfra.domains.kubernetes.objects.operands import lagging, owned_by, upgrades_drivers, upgrading

NVIDIA = "nvcr.io/nvidia"
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


def a_policy(**changed: Any) -> dict[str, Any]:
    """As the chart makes it; `driver={"version": …}` changes fields of a section."""
    plugin = {"enabled": True, "repository": NVIDIA, "image": "k8s-device-plugin", "version": "v0.20.0"}
    spec: dict[str, Any] = {
        "daemonsets": {"tolerations": [TOLERATION], "priorityClassName": "system-node-critical"},
        "driver": {
            **{"enabled": True, "repository": NVIDIA, "image": "driver", "version": "595.91.07"},
            "kernelModuleType": "auto",
            "manager": {"repository": NVIDIA, "image": "k8s-driver-manager", "version": "v0.12.0"},
            "upgradePolicy": {"autoUpgrade": True},
        },
        "devicePlugin": {**plugin, "config": {"name": "shares-1", "default": "default"}},
        "dcgm": {"enabled": False},
        "mig": {"strategy": "single"},
        "validator": {"repository": NVIDIA, "image": "gpu-operator", "version": "v26.7.0"},
    }
    for section, fields in changed.items():
        spec[section] = {**spec.get(section, {}), **fields}
    return {"metadata": {"name": "cluster-policy", "uid": "p"}, "spec": spec, "status": {"namespace": "gpu-operator"}}


def a_daemon_set(name: str, container: dict[str, Any], init: dict[str, Any], **pod: Any) -> dict[str, Any]:
    spec = {"tolerations": [TOLERATION], "priorityClassName": "system-node-critical", **pod}
    counts = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    return {
        "kind": "DaemonSet",
        "metadata": {"name": name, "generation": 3, "ownerReferences": [{"uid": "p"}]},
        "spec": {"template": {"spec": {**spec, "containers": [container], "initContainers": [init]}}},
        "status": {"observedGeneration": 3, **dict.fromkeys(counts, 2)},
    }


def operands() -> list[dict[str, Any]]:
    """What the operator has made of `a_policy()`: the driver and the device plugin, both rolled out on two nodes."""
    validation = {"name": "toolkit-validation", "image": f"{NVIDIA}/gpu-operator:v26.7.0"}
    driver = a_daemon_set(
        "nvidia-driver-daemonset",
        {
            "name": "nvidia-driver-ctr",
            "image": f"{NVIDIA}/driver:595.91.07-ubuntu24.04",
            "env": [{"name": "KERNEL_MODULE_TYPE", "value": "auto"}],
        },
        {"name": "k8s-driver-manager", "image": f"{NVIDIA}/k8s-driver-manager:v0.12.0"},
    )
    plugin = a_daemon_set(
        "nvidia-device-plugin-daemonset",
        {
            "name": "nvidia-device-plugin",
            "image": f"{NVIDIA}/k8s-device-plugin:v0.20.0",
            "env": [{"name": "MIG_STRATEGY", "value": "single"}],
        },
        validation,
        volumes=[{"name": "shares-1", "configMap": {"name": "shares-1"}}],
    )
    return [driver, plugin]


def test_what_follows_from_the_policy_lags_in_nothing() -> None:
    assert lagging(a_policy(), operands()) == []


@pytest.mark.parametrize(
    ("changed", "lacking"),
    [
        (
            {"driver": {"version": "580.105.08"}},
            "nvidia-driver-daemonset has image nvcr.io/nvidia/driver:595.91.07-ubuntu24.04, "
            "its policy says nvcr.io/nvidia/driver:580.105.08",
        ),
        (
            {"driver": {"version": "sha256:0f"}},
            "nvidia-driver-daemonset has image nvcr.io/nvidia/driver:595.91.07-ubuntu24.04, "
            "its policy says nvcr.io/nvidia/driver@sha256:0f",
        ),
        ({"driver": {"kernelModuleType": "open"}}, "nvidia-driver-daemonset has KERNEL_MODULE_TYPE=auto, not open"),
        ({"driver": {"usePrecompiled": True}}, "nvidia-driver-daemonset is not one for a precompiled driver"),
        ({"driver": {"imagePullSecrets": ["ngc"]}}, "nvidia-driver-daemonset lacks the pull secret ngc"),
        ({"driver": {"imagePullPolicy": "Always"}}, "nvidia-driver-daemonset does not pull its image Always"),
        ({"driver": {"env": [{"name": "A", "value": "1"}]}}, "nvidia-driver-daemonset lacks A=1"),
        (
            {"driver": {"manager": {"repository": NVIDIA, "image": "k8s-driver-manager", "version": "v0.13.0"}}},
            "nvidia-driver-daemonset has image nvcr.io/nvidia/k8s-driver-manager:v0.12.0, "
            "its policy says nvcr.io/nvidia/k8s-driver-manager:v0.13.0",
        ),
        (
            {"driver": {"enabled": False}},
            "nvidia-driver-daemonset is still there, though its policy disables it",
        ),
        (
            {"devicePlugin": {"config": {"name": "shares-2", "default": "default"}}},
            "nvidia-device-plugin-daemonset has not the configuration shares-2",
        ),
        ({"devicePlugin": {"args": ["--x"]}}, "nvidia-device-plugin-daemonset has other arguments than its policy"),
        ({"mig": {"strategy": "mixed"}}, "nvidia-device-plugin-daemonset has MIG_STRATEGY=single, not mixed"),
        ({"dcgm": {"enabled": True}}, "nvidia-dcgm has not been made"),
        (
            {"validator": {"version": "v26.8.0"}},
            "nvidia-device-plugin-daemonset has image nvcr.io/nvidia/gpu-operator:v26.7.0, "
            "its policy says nvcr.io/nvidia/gpu-operator:v26.8.0",
        ),
        (
            {"daemonsets": {"tolerations": [{"key": "dedicated", "operator": "Exists"}]}},
            "nvidia-driver-daemonset has other tolerations than its policy",
        ),
        (
            {"daemonsets": {"labels": {"helm.sh/chart": "gpu-operator-v26.8.0", "app": "theirs"}}},
            "nvidia-driver-daemonset lacks the label helm.sh/chart=gpu-operator-v26.8.0",
        ),
        ({"daemonsets": {"annotations": {"a": "b"}}}, "nvidia-driver-daemonset lacks the annotation a=b"),
        ({"daemonsets": {"priorityClassName": "high"}}, "nvidia-driver-daemonset is not of priority class high"),
    ],
)
def test_each_field_that_shows_in_the_operands_is_waited_for(changed: dict[str, Any], lacking: str) -> None:
    assert lagging(a_policy(**changed), operands())[0] == lacking


def test_a_configuration_that_was_taken_out_is_waited_for() -> None:
    without = a_policy(devicePlugin={"config": {}})
    plugin = operands()[1]
    plugin["spec"]["template"]["spec"]["containers"].append({"name": "config-manager", "image": "x"})
    assert lagging(without, [operands()[0], plugin]) == ["nvidia-device-plugin-daemonset still has a configuration"]


def test_another_key_of_the_same_configuration_is_waited_for() -> None:
    plugin = operands()[1]
    manager = {"name": "config-manager", "image": "x", "env": [{"name": "DEFAULT_CONFIG", "value": "default"}]}
    plugin["spec"]["template"]["spec"]["containers"].append(manager)
    other = a_policy(devicePlugin={"config": {"name": "shares-1", "default": "many"}})
    assert lagging(other, [operands()[0], plugin]) == [
        "nvidia-device-plugin-daemonset has the default configuration default, its policy says many"
    ]


def test_a_driver_that_is_described_elsewhere_is_not_judged() -> None:
    assert lagging(a_policy(driver={"useNvidiaDriverCRD": True, "version": "1.2.3"}), operands()[1:]) == []


def test_an_image_of_the_operators_own_is_not_judged() -> None:
    assert lagging(a_policy(driver={"repository": "", "image": "", "version": ""}), operands()) == []


@pytest.mark.parametrize(
    ("status", "lacking"),
    [
        ({"observedGeneration": 2}, "nvidia-driver-daemonset has not been looked at by its controller"),
        ({"updatedNumberScheduled": 1}, "nvidia-driver-daemonset has 1 of 2 pods of its newest template"),
        ({"numberAvailable": 0}, "nvidia-driver-daemonset has 0 of 2 pods available"),
    ],
)
def test_an_operand_has_rolled_out_when_all_its_pods_are_new_and_available(
    status: dict[str, int], lacking: str
) -> None:
    driver = deepcopy(operands()[0])
    driver["status"] |= status
    assert lagging(a_policy(), [driver, operands()[1]]) == [lacking]


def test_an_operand_that_no_node_is_labelled_for_is_ready() -> None:
    driver = operands()[0]
    driver["status"] = {"observedGeneration": 3, "desiredNumberScheduled": 0}
    assert lagging(a_policy(), [driver, operands()[1]]) == []


def test_what_the_operator_rewrites_is_not_judged() -> None:
    """With k3s or RKE2 `toolkit.env` names their configuration; the toolkit sees it under another path."""
    given = {"name": "CONTAINERD_CONFIG", "value": "/var/lib/rancher/rke2/agent/etc/containerd/config.toml"}
    toolkit = a_daemon_set(
        "nvidia-container-toolkit-daemonset",
        {
            "name": "nvidia-container-toolkit-ctr",
            "image": f"{NVIDIA}/container-toolkit:v1.20.0",
            "env": [{"name": "CONTAINERD_CONFIG", "value": "/runtime/config-dir/config.toml"}],
        },
        {"name": "driver-validation", "image": f"{NVIDIA}/gpu-operator:v26.7.0"},
    )
    assert lagging(a_policy(toolkit={"enabled": True, "env": [given]}), [*operands(), toolkit]) == []


def test_the_daemon_sets_of_others_are_not_judged() -> None:
    foreign = {"metadata": {"name": "nvidia-dcgm", "ownerReferences": [{"uid": "other"}]}}
    assert owned_by(a_policy(), [*operands(), foreign, {"metadata": {"name": "x"}}]) == operands()


def a_node(name: str, state: str = "", **labels: str) -> dict[str, Any]:
    mine = {"nvidia.com/gpu-driver-upgrade-state": state} if state else {}
    return {"metadata": {"name": name, "labels": {**mine, **labels}}}


def test_a_node_whose_driver_is_being_replaced_is_waited_for() -> None:
    nodes = [
        a_node("gpu-0", "upgrade-done"),
        a_node("gpu-1", "uncordon-required"),
        a_node("gpu-2"),
        a_node("gpu-3", "upgrade-required", **{"nvidia.com/gpu-driver-upgrade.skip": "true"}),
    ]
    assert upgrading(nodes) == ["node gpu-1 is in uncordon-required"]


@pytest.mark.parametrize(
    ("driver", "upgrades"),
    [({}, True), ({"enabled": False}, False), ({"upgradePolicy": {"autoUpgrade": False}}, False)],
)
def test_nodes_are_asked_only_where_the_operator_upgrades_drivers(driver: dict[str, Any], upgrades: bool) -> None:
    assert upgrades_drivers(a_policy(driver=driver)) is upgrades


@pytest.mark.parametrize(
    ("before", "now", "is_changed"),
    [
        ({}, {"ClusterPolicy p": "u/1"}, False),
        ({"ClusterPolicy p": "u/3"}, {"ClusterPolicy p": "u/3"}, False),
        ({"ClusterPolicy p": "u/3"}, {"ClusterPolicy p": "u/4"}, True),
        ({}, {"ClusterPolicy p": "u/2"}, True),
        ({"ClusterPolicy p": "u/3"}, {"ClusterPolicy p": "v/1"}, False),
        ({"ClusterPolicy p": "u/3", "Deployment d": "w/1"}, {"ClusterPolicy p": "u/3", "Deployment d": "w/2"}, True),
    ],
)
def test_a_spec_that_the_last_wait_did_not_see_is_a_change_unless_it_is_the_first(
    before: dict[str, str], now: dict[str, str], is_changed: bool
) -> None:
    assert changed(before, now) is is_changed
