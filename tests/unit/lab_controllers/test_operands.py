"""The DaemonSets that the operator makes of a policy."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operator as gpu_operator
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.belongings import desired
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import (
    Irreconcilable,
    OsInfo,
    driver_image,
)
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Remove
from tests.unit.lab_controllers.world import (
    MOMENT,
    NAMESPACE,
    UBUNTU,
    a_gpu_node,
    a_node,
    a_policy,
    a_view,
    an_operator,
    finished,
    made,
    status_of,
)


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
