"""The GPU Operator in a lab's cluster, seen through the API as in a real one."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.errors import Invalid, WebhookFailed
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from tests.integration.lab_controllers.conftest import POLICY, Site

pytestmark = pytest.mark.lab
REQUIRED = (
    *("operator", "daemonsets", "driver", "toolkit", "devicePlugin", "dcgmExporter", "dcgm", "nodeStatusExporter"),
    "gfd",
)
OPERANDS = {
    "gpu-feature-discovery",
    "nvidia-container-toolkit-daemonset",
    "nvidia-dcgm-exporter",
    "nvidia-device-plugin-daemonset",
    "nvidia-device-plugin-mps-control-daemon",
    "nvidia-driver-daemonset",
    "nvidia-mig-manager",
    "nvidia-operator-validator",
}


UPGRADE_STATES = (
    *("upgrade-done", "upgrade-required", "cordon-required", "wait-for-jobs-required", "pod-deletion-required"),
    *("pod-restart-required", "validation-required", "uncordon-required", "upgrade-done"),
)


def a_policy(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": POLICY.api_version,
        "kind": POLICY.kind,
        "metadata": {"name": POLICY.name},
        "spec": spec,
    }


def test_sixteen_gpus_on_two_nodes_become_allocatable(healthy: Site) -> None:
    assert healthy.condition("Error") == ("False", "Ready", "")
    assert healthy.allocatable() == 16
    names = {d["metadata"]["name"] for d in healthy.client.list("apps/v1", "DaemonSet", "gpu-operator")}
    assert names - {"gpu-operator-node-feature-discovery-worker"} == OPERANDS
    assert [pod["status"]["phase"] for pod in healthy.pods("nvidia-cuda-validator")] == ["Succeeded", "Succeeded"]
    node = healthy.client.get(ObjectRef("v1", "Node", "gpu-0"))
    assert node is not None
    labels = node["metadata"]["labels"]
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-A100-SXM4-40GB"
    assert labels["nvidia.com/gpu.count"] == "8"
    assert labels["feature.node.kubernetes.io/pci-10de.present"] == "true"
    assert labels["nvidia.com/mig.config.state"] == "success"


def test_a_pod_that_asks_for_gpus_runs_and_answers_and_says_that_it_is_simulated(healthy: Site) -> None:
    healthy.client.apply(a_job("vector-add", gpus=2))
    job = ObjectRef("batch/v1", "Job", "vector-add", "gpu-operator")
    healthy.until(lambda: (healthy.client.get(job) or {}).get("status", {}).get("succeeded"), "Job done")
    (pod,) = healthy.client.list("v1", "Pod", "gpu-operator", labels="job-name=vector-add")
    message = pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"]
    assert '"gpus": 2' in message
    assert '"simulated": true' in message


def a_job(name: str, gpus: int) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": str(gpus)}
    container = {"name": "cuda", "image": "cuda", "command": ["vectorAdd"], "resources": {"limits": limits}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "gpu-operator"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }


def test_a_pod_that_asks_for_more_gpus_than_a_node_has_stays_pending(healthy: Site) -> None:
    healthy.client.apply(a_job("greedy", gpus=9))
    healthy.until(
        lambda: any("Insufficient nvidia.com/gpu" in m for m in healthy.events("FailedScheduling")), "refusal"
    )


def test_without_nfd_the_policy_calls_itself_ready_and_no_gpu_is_there(site: Site) -> None:
    site.install(values={"nfd": {"enabled": False}})
    site.until_ready("NFDLabelsMissing")
    assert site.condition("Ready")[2] == "No NFD labels found"
    assert site.allocatable() == 0


def test_an_empty_spec_is_refused_and_every_missing_key_is_named(site: Site) -> None:
    site.install(values={"clusterPolicy": {"deployCR": False}})
    with pytest.raises(Invalid, match=r"spec\.operator: Required value.*spec\.gfd: Required value"):
        site.client.apply(a_policy({}))


def test_an_unknown_field_is_refused_by_name(site: Site) -> None:
    site.install(values={"clusterPolicy": {"deployCR": False}})
    spec = {key: {} for key in REQUIRED} | {"driver": {"versoin": "595.91.07"}}
    with pytest.raises(Invalid, match=r"spec\.driver\.versoin: field not declared in schema"):
        site.client.apply(a_policy(spec))


def test_an_image_that_is_only_half_given_is_a_reconcile_error(site: Site) -> None:
    site.install()
    site.client.patch(POLICY, {"spec": {"driver": {"repository": "registry.example", "version": ""}}})
    site.until(lambda: site.condition("Error")[1] == "ReconcileFailed", "ReconcileFailed")
    assert site.condition("Error")[2] == (
        "Failed to reconcile state-driver: invalid image specification: repository, image and version must all be set"
        " (repository=registry.example, image=driver, version=)"
    )
    assert site.condition("Ready") == ("False", "Error", "")


def test_deleting_the_policy_takes_the_operands_and_the_gpus_and_leaves_the_labels(site: Site) -> None:
    site.install()
    site.until_ready()
    site.client.delete(POLICY)
    site.until(lambda: site.allocatable() == 0, "no GPU allocatable")
    site.until(lambda: not any(site.pods(app) for app in OPERANDS), "no operand pod")
    node = site.client.get(ObjectRef("v1", "Node", "gpu-0"))
    assert node is not None
    assert node["metadata"]["labels"]["nvidia.com/gpu.present"] == "true"


def test_a_disabled_component_has_no_daemonset(site: Site) -> None:
    site.install(values={"dcgmExporter": {"enabled": False}, "migManager": {"enabled": False}})
    site.until_ready()
    names = {d["metadata"]["name"] for d in site.client.list("apps/v1", "DaemonSet", "gpu-operator")}
    assert {"nvidia-dcgm-exporter", "nvidia-mig-manager"}.isdisjoint(names)


def test_time_slicing_multiplies_what_is_allocatable(site: Site) -> None:
    config = "version: v1\nsharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 4}]}}\n"
    plugin = {"config": {"create": True, "name": "plugin", "default": "ts4", "data": {"ts4": config}}}
    site.install(values={"devicePlugin": plugin})
    site.until_ready()
    assert site.allocatable() == 64
    node = site.client.get(ObjectRef("v1", "Node", "gpu-0"))
    assert node is not None
    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == "NVIDIA-A100-SXM4-40GB-SHARED"
    assert node["metadata"]["labels"]["nvidia.com/gpu.count"] == "8"


def test_a_driver_on_no_host_keeps_everything_waiting(site: Site) -> None:
    site.install(values={"driver": {"enabled": False}})
    site.until(lambda: site.pods("nvidia-container-toolkit-daemonset"), "toolkit pods")
    pods = site.pods("nvidia-container-toolkit-daemonset")
    site.until(lambda: {p["status"]["phase"] for p in pods} == {"Pending"}, "Pending")
    assert site.allocatable() == 0


def test_webhook_down_refuses_policies_until_it_is_lifted(site: Site) -> None:
    site.lab.set_fault("webhook-down", "")
    site.until(lambda: site.client.list("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"), "webhook")
    with pytest.raises(WebhookFailed, match=r'failed calling webhook "policy\.lab.*connection refused'):
        site.install()
        site.until(lambda: not site.client.apply(a_policy({"operator": {}}), force=True), "refusal")
    site.lab.lift_fault("webhook-down")
    site.until(
        lambda: not site.client.list("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"), "no webhook"
    )


def test_an_image_that_cannot_be_pulled_shows_on_its_pods_and_heals(site: Site) -> None:
    site.lab.set_fault("image-pull", "dc1")
    site.install()
    site.until(lambda: "ImagePullBackOff" in site.waiting("nvidia-container-toolkit-daemonset"), "ImagePullBackOff")
    image = "nvcr.io/nvidia/k8s/container-toolkit:v1.20.0"
    assert f'Back-off pulling image "{image}"' in site.events("BackOff")
    assert site.condition("Error")[1] == "OperandNotReady"
    site.lab.lift_fault("image-pull")
    site.until_ready()


def test_at_a_stack_it_is_the_charts_own_image_that_cannot_be_pulled(site: Site) -> None:
    site.lab.set_fault("image-pull", "gpu_operator")
    site.install()
    site.until(lambda: "ImagePullBackOff" in site.waiting("gpu-operator"), "ImagePullBackOff")
    assert not site.pods("nvidia-driver-daemonset")


def test_a_driver_without_headers_for_the_kernel_crashes_and_says_which_kernel(site: Site) -> None:
    site.lab.set_fault("driver-kernel-mismatch", "dc1")
    site.install()
    site.until(lambda: "CrashLoopBackOff" in site.waiting("nvidia-driver-daemonset"), "CrashLoopBackOff")
    crashed = [status["lastState"].get("terminated") for status in site.statuses("nvidia-driver-daemonset")]
    assert any("6.8.0-85-generic" in ended["message"] for ended in crashed if ended)
    site.lab.lift_fault("driver-kernel-mismatch")
    site.until_ready()


def test_a_precompiled_driver_for_no_such_kernel_cannot_be_pulled(site: Site) -> None:
    site.lab.set_fault("driver-kernel-mismatch", "")
    site.install(values={"driver": {"usePrecompiled": True, "version": "595"}})
    site.until(lambda: "ImagePullBackOff" in site.waiting("nvidia-driver-daemonset"), "ImagePullBackOff")
    names = {pod["metadata"]["ownerReferences"][0]["name"] for pod in site.pods("nvidia-driver-daemonset")}
    assert names == {"nvidia-driver-daemonset-6.8.0-85-generic-ubuntu24.04"}
    image = "nvcr.io/nvidia/driver:595-6.8.0-85-generic-ubuntu24.04"
    assert f'Back-off pulling image "{image}"' in site.events("BackOff")


def test_the_oldest_policy_counts_and_the_operator_says_nothing_of_a_second(healthy: Site) -> None:
    second = a_policy({key: {} for key in REQUIRED}) | {"metadata": {"name": "another"}}
    healthy.client.apply(second)
    healthy.client.apply(a_job("after-the-second", gpus=1))
    job = ObjectRef("batch/v1", "Job", "after-the-second", "gpu-operator")
    healthy.until(lambda: (healthy.client.get(job) or {}).get("status", {}).get("succeeded"), "Job done")
    assert "status" not in (healthy.client.get(ObjectRef.of(second)) or {})
    assert healthy.condition("Ready")[1] == "Reconciled"
    healthy.client.delete(ObjectRef.of(second))


def test_a_fault_of_one_cluster_leaves_the_other_alone(healthy: Site, site: Site) -> None:
    site.lab.set_fault("webhook-down", "dc1")
    hooks = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
    site.until(lambda: site.client.list(*hooks), "webhook")
    assert healthy.client.list(*hooks) == []


def test_a_new_driver_version_replaces_the_drivers_node_by_node(site: Site) -> None:
    site.install()
    site.until_ready()
    state = "nvidia.com/gpu-driver-upgrade-state"
    site.until(lambda: {s for s, _ in site.node_states(state)} == {"upgrade-done"}, "upgrade-done on both nodes")
    with site.watching_nodes(state) as seen:
        _upgrade(site)
    for node in ("gpu-0", "gpu-1"):
        assert [state for state, _ in seen[node]] == list(UPGRADE_STATES)
        assert [state for state, cordoned in seen[node] if cordoned] == list(UPGRADE_STATES[3:-1])


def _upgrade(site: Site) -> None:
    site.client.patch(POLICY, {"spec": {"driver": {"version": "580.105.08"}}})
    image = "nvcr.io/nvidia/driver:580.105.08-ubuntu24.04"

    def images() -> set[str]:
        return {pod["spec"]["containers"][0]["image"] for pod in site.pods("nvidia-driver-daemonset")}

    site.until(lambda: images() == {image}, "drivers of the new version")
    site.until_ready()
    states = ("nvidia.com/gpu-driver-upgrade-state", "upgrade-done")
    nodes = [ObjectRef("v1", "Node", name) for name in ("gpu-0", "gpu-1")]
    site.until(
        lambda: all((site.client.get(n) or {})["metadata"]["labels"].get(states[0]) == states[1] for n in nodes),
        "upgrade-done on both nodes",
    )
