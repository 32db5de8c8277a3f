"""What the containers of operand pods wait for, and what faults do to them."""

from __future__ import annotations

import json

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.fate import NodeState, fate, fates, node_state
from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Patch
from aiinfra.domains.kubernetes.lab.controllers.faults import Faults, PodFaults
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware, asks_for_gpus
from aiinfra.domains.kubernetes.lab.controllers.kubelet import Kubelets, event, is_simulated
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Fate, Notice
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View
from aiinfra.domains.kubernetes.lab.controllers.webhook_down import reconcile
from tests.unit.lab_controllers.world import (
    MOMENT,
    NAMESPACE,
    NOW,
    a_node,
    a_pod,
    a_policy,
    a_view,
    an_object,
    at,
    configured,
)

VALIDATOR = "nvidia-operator-validator"
CRDS = tuple(
    an_object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        kind.lower(),
        spec={"names": {"kind": kind}},
        status={"conditions": [{"type": "Established", "status": "True"}]},
    )
    for kind in ("ClusterPolicy", "NodeFeature")
)


def a_validator(*done: str) -> Object:
    pod = a_pod(VALIDATOR, ready=False)
    pod["status"]["initContainerStatuses"] = [{"name": name, "ready": True} for name in done]
    return pod


def a_cuda_pod() -> Object:
    pod = a_pod("nvidia-cuda-validator", ready=False)
    pod["status"]["phase"] = "Succeeded"
    return pod


DRIVER, TOOLKIT = a_pod("nvidia-driver-daemonset"), a_pod("nvidia-container-toolkit-daemonset")


def held(pod: Object, *others: Object, node: Object | None = None, policy: Object | None = None) -> set[str]:
    """Init containers of `pod` that wait, in a world with these other pods on its node."""
    node, policy = node or a_node(), policy or a_policy()
    view = a_view(node, policy, pod, *others, *CRDS)
    found = fate(pod, view, node_state(view, node, policy), policy, PodFaults())
    return set(found.held)


def test_the_toolkit_waits_for_the_driver() -> None:
    assert "driver-validation" in held(TOOLKIT)
    assert "driver-validation" not in held(TOOLKIT, DRIVER)


def test_the_validator_waits_for_driver_toolkit_cuda_and_plugin_in_turn() -> None:
    gpus = a_node()
    gpus["status"]["capacity"] = {"nvidia.com/gpu": "8"}
    assert held(a_validator()) == {"driver-validation", "toolkit-validation", "cuda-validation", "plugin-validation"}
    assert held(a_validator(), DRIVER) == {"toolkit-validation", "cuda-validation", "plugin-validation"}
    assert held(a_validator(), DRIVER, TOOLKIT) == {"cuda-validation", "plugin-validation"}
    assert held(a_validator(), DRIVER, TOOLKIT, a_cuda_pod()) == {"plugin-validation"}
    assert held(a_validator(), DRIVER, TOOLKIT, a_cuda_pod(), node=gpus) == set()


def test_the_others_wait_for_the_validators_toolkit_check() -> None:
    plugin = a_pod("nvidia-device-plugin-daemonset")
    assert "toolkit-validation" in held(plugin, DRIVER, TOOLKIT, a_validator())
    assert "toolkit-validation" not in held(plugin, DRIVER, TOOLKIT, a_validator("toolkit-validation"))


def test_without_a_driver_daemonset_the_host_must_bring_one() -> None:
    policy = a_policy(driver={"enabled": False}, toolkit={"enabled": False})
    assert "driver-validation" in held(a_validator(), policy=policy)
    brings = a_node(host_driver="580.105.08")
    assert held(a_validator(), policy=policy, node=brings) == {"cuda-validation", "plugin-validation"}


def test_operands_of_another_node_do_not_count() -> None:
    assert "driver-validation" in held(TOOLKIT, a_pod("nvidia-driver-daemonset", "gpu-1"))


def of_pod(pod: Object, broken: PodFaults, *, crds: tuple[Object, ...] = CRDS, policy: Object | None = None) -> Fate:
    node = a_node(kernel="6.8.0-85-generic")
    view: View = a_view(node, pod, *crds, *([policy] if policy else []))
    return fate(pod, view, node_state(view, node, policy), policy, broken)


def test_a_driver_without_headers_for_its_kernel_crashes() -> None:
    broken = PodFaults(frozenset({"driver-kernel-mismatch"}))
    crash = of_pod(DRIVER, broken).crashes["nvidia-driver-ctr"]
    assert (crash.exit_code, crash.message) == (
        1,
        "Could not resolve Linux kernel version: no headers for kernel 6.8.0-85-generic in the package repositories"
        " of the driver image",
    )
    assert of_pod(TOOLKIT, broken).crashes == {}


def test_a_precompiled_driver_for_a_kernel_that_has_none_is_not_found() -> None:
    image = "nvcr.io/nvidia/driver:595-6.8.0-85-generic-ubuntu24.04"
    pod = a_pod("nvidia-driver-daemonset-6.8.0-85-generic-ubuntu24.04")
    pod["spec"]["containers"][0]["image"] = image
    found = of_pod(pod, PodFaults(frozenset({"driver-kernel-mismatch"})))
    assert found.crashes == {}
    assert found.unpullable == {
        image: f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    }


@pytest.mark.parametrize(
    ("broken", "app", "missing"),
    [
        (PodFaults(frozenset({"image-pull"})), "nvidia-container-toolkit-daemonset", True),
        (PodFaults(frozenset({"image-pull"})), "gpu-operator", False),
        (PodFaults(namespaces={"image-pull": frozenset({NAMESPACE})}), "gpu-operator", True),
        (PodFaults(namespaces={"image-pull": frozenset({NAMESPACE})}), "nvidia-container-toolkit-daemonset", False),
        (PodFaults(namespaces={"image-pull": frozenset({"elsewhere"})}), "gpu-operator", False),
    ],
)
def test_image_pull_hits_an_operand_in_a_cluster_and_the_charts_pods_at_a_stack(
    broken: PodFaults, app: str, *, missing: bool
) -> None:
    assert bool(of_pod(a_pod(app), broken).unpullable) is missing


def test_a_stack_is_found_by_the_mark_on_its_namespace() -> None:
    marked = an_object("v1", "Namespace", "gpu-operator")
    marked["metadata"]["labels"] = {"aiinfra.dev/stack": "operators"}
    faults = Faults(at_stacks=frozenset({("image-pull", "operators"), ("webhook-down", "nfd")}))
    broken = faults.by_namespace(a_view(marked))
    assert broken.is_set("image-pull")
    assert not broken.is_set("webhook-down")


def test_the_webhook_stands_while_its_fault_is_set() -> None:
    down = PodFaults(frozenset({"webhook-down"}))
    (created,) = reconcile(a_view(), at(0.0, down))
    hook = created.obj["webhooks"][0]
    assert hook["rules"][0]["resources"] == ["clusterpolicies", "nvidiadrivers"]
    standing = created.obj
    assert list(reconcile(a_view(standing), at(0.0, down))) == []
    (removed,) = reconcile(a_view(standing), MOMENT)
    assert removed.ref.name == "policy.lab.aiinfra.dev"
    assert list(reconcile(a_view(), MOMENT)) == []


def test_an_operator_whose_custom_kind_is_not_served_ends() -> None:
    crash = of_pod(a_pod("gpu-operator"), PodFaults(), crds=()).crashes["gpu-operator"]
    assert crash.message == 'no matches for kind "ClusterPolicy" in version "nvidia.com/v1"'
    assert of_pod(a_pod("gpu-operator"), PodFaults()).crashes == {}


@pytest.mark.parametrize("app", ["nvidia-device-plugin-daemonset", "gpu-feature-discovery"])
def test_what_reads_a_config_map_that_is_missing_is_not_mounted(app: str) -> None:
    assert of_pod(configured(a_pod(app)), PodFaults()).unmounted == (
        'MountVolume.SetUp failed for volume "plugin" : configmap "plugin" not found'
    )


@pytest.mark.parametrize("app", ["nvidia-device-plugin-daemonset", "gpu-feature-discovery"])
def test_a_config_of_a_name_that_is_not_there_stops_the_program_that_chooses_it(app: str) -> None:
    pod = configured(a_pod(app), default="gone")
    configs = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"other": ""})
    crashes = fate(pod, a_view(a_node(), pod, configs, *CRDS), NodeState(Hardware()), a_policy(), PodFaults()).crashes
    assert {name: crash.message for name, crash in crashes.items()} == {
        "config-manager-init": "error: specified config gone does not exist"
    }


def test_a_config_that_does_not_parse_stops_the_plugin() -> None:
    pod = configured(a_pod("nvidia-device-plugin-daemonset"))
    one = "sharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 1}]}}"
    configs = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"any": one})
    crashes = fate(pod, a_view(a_node(), pod, configs, *CRDS), NodeState(Hardware()), a_policy(), PodFaults()).crashes
    assert {name: crash.message for name, crash in crashes.items()} == {
        "nvidia-device-plugin-daemonset": "error starting plugins: unable to load config: "
        "number of replicas must be >= 2, got 1 for nvidia.com/gpu"
    }


def asking(resource: str) -> Object:
    pod = a_pod("mine", containers=[{"name": "mine", "resources": {"limits": {resource: "1"}}}])
    pod["status"] = {"phase": "Pending"}
    return pod


@pytest.mark.parametrize(
    ("resource", "played"),
    [("nvidia.com/gpu", True), ("nvidia.com/mig-1g.5gb", True), ("cpu", False), ("amd.com/gpu", False)],
)
def test_pods_that_ask_for_nvidias_resources_are_played_here(resource: str, *, played: bool) -> None:
    assert asks_for_gpus(asking(resource)) is played
    assert is_simulated(asking(resource)) is played


def test_the_vector_addition_answers_with_the_nodes_gpu_and_says_that_it_is_simulated() -> None:
    pod = asking("nvidia.com/gpu")
    pod["spec"]["containers"][0]["command"] = ["sh", "-c", "vectorAdd"]
    found = of_pod(pod, PodFaults())
    assert json.loads(found.answer) == {
        "gpus": 1,
        "product": "NVIDIA A100-SXM4-40GB",
        "simulated": True,
        "vector_add": "ok",
    }
    assert found.crashes["mine"].message == (
        "Failed to allocate device vector A (error code no CUDA-capable device is detected)!"
    )


def test_of_a_program_that_it_does_not_know_the_lab_says_only_that_nothing_ran() -> None:
    assert of_pod(asking("nvidia.com/gpu"), PodFaults()).answer == '{"simulated": true}'


@pytest.mark.parametrize(
    ("count", "rejected"),
    [
        ("1", ""),
        (
            "2",
            "Allocate failed due to rpc error: code = Unknown desc = invalid request: maximum request size for shared"
            " resources is 1; found 2, which is unexpected",
        ),
    ],
)
def test_a_request_for_two_slices_is_refused_where_the_plugin_is_told_to(count: str, rejected: str) -> None:
    config = (
        "sharing: {timeSlicing: {failRequestsGreaterThanOne: true, resources: [{name: nvidia.com/gpu, replicas: 4}]}}"
    )
    policy = a_policy()
    configs = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"any": config})
    pod = asking("nvidia.com/gpu")
    pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = count
    view = a_view(a_node(), policy, configs, configured(a_pod("nvidia-device-plugin-daemonset")), pod)
    assert fate(pod, view, NodeState(), policy, PodFaults()).rejected == rejected
    patches = [effect for effect in Kubelets([fates]).reconcile(view, MOMENT) if isinstance(effect, Patch)]
    (mine,) = (patch for patch in patches if patch.ref.name == "mine-gpu-0")
    assert mine.body["status"]["phase"] == ("Failed" if rejected else "Pending")


def test_steps_come_when_they_are_due() -> None:
    pod = asking("nvidia.com/gpu")
    kubelets, view = Kubelets([fates]), a_view(a_node(), pod)
    (admitted,) = kubelets.reconcile(view, at(100.0))
    pod["status"] = admitted.body["status"]
    (later,) = kubelets.reconcile(view, at(100.05))
    assert isinstance(later, Again)
    assert later.at == pytest.approx(100.1)
    started = list(kubelets.reconcile(view, at(100.1)))
    assert [type(effect).__name__ for effect in started] == ["Patch", "Create"]


def test_an_event_names_its_pod_and_container_and_is_the_same_object_each_time() -> None:
    notice = Notice("Warning", "BackOff", "Back-off", "mine")
    made = event(asking("nvidia.com/gpu"), notice, NOW)
    assert made["involvedObject"]["name"] == "mine-gpu-0"
    assert made["involvedObject"]["fieldPath"] == "spec.containers{mine}"
    assert made["source"] == {"component": "kubelet", "host": "gpu-0"}
    assert made["metadata"]["name"] == event(asking("nvidia.com/gpu"), notice, NOW)["metadata"]["name"]
