"""NVIDIADriver objects: whose nodes are whose, the DaemonSets that come of them, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import nvidia_drivers
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operator as gpu_operator
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.nvidia_drivers import short_hash
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy_manifest import default_driver
from aiinfra.domains.kubernetes.charts.trees import with_defaults
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Effect, Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object
from tests.unit.lab_controllers.world import MOMENT, a_gpu_node, a_policy, a_view, an_object, an_operator

OWNER = "nvidia.com/gpu-operator.driver.owner"
STATE = "nvidia.com/gpu-driver-upgrade-state"
POLICY = a_policy(driver={"useNvidiaDriverCRD": True})
IMAGE = {"repository": "nvcr.io/nvidia", "image": "driver", "version": "580.105.08"}


def a_driver(name: str = "default", **spec: Any) -> Object:
    return an_object("nvidia.com/v1alpha1", "NVIDIADriver", name, spec={"driverType": "gpu", **IMAGE, **spec})


def effects(*objects: Object, policy: Object = POLICY) -> list[Effect]:
    return list(nvidia_drivers.reconcile(a_view(an_operator(), policy, *objects), MOMENT))


def sets(found: list[Effect]) -> Mapping[str, Object]:
    applied = [e.obj for e in found if isinstance(e, Apply)]
    return {obj["metadata"]["name"]: obj for obj in applied if obj["kind"] == "DaemonSet"}


def says(found: list[Effect], driver: str = "default") -> tuple[str, str, str]:
    """State, and reason and message of the condition that carries them."""
    (status,) = (e.body["status"] for e in found if isinstance(e, Patch) and e.ref.name == driver)
    ready, error = status["conditions"]
    telling = ready if ready["status"] == "True" else error
    return status["state"], telling["reason"], telling["message"]


def standing(*objects: Object) -> list[Object]:
    """What the operator made so far, with the accounts that come first."""
    first = [e.obj for e in effects(*objects) if isinstance(e, Apply)]
    return [*first, *(e.obj for e in effects(*objects, *first) if isinstance(e, Apply))]


def test_a_driver_has_a_daemonset_for_the_system_of_its_nodes() -> None:
    node, driver = a_gpu_node(**{OWNER: "default"}), a_driver(default=True)
    ((name, made),) = sets([Apply(obj) for obj in standing(node, driver)]).items()
    assert name == f"nvidia-gpu-driver-ubuntu24.04-{short_hash('uid-of-default')}"
    pod = made["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {
        "nvidia.com/gpu.deploy.driver": "true",
        "nvidia.com/gpu.present": "true",
        OWNER: "default",
        "feature.node.kubernetes.io/system-os_release.ID": "ubuntu",
        "feature.node.kubernetes.io/system-os_release.VERSION_ID": "24.04",
    }
    assert pod["containers"][0]["image"] == "nvcr.io/nvidia/driver:580.105.08-ubuntu24.04"
    assert pod["serviceAccountName"] == "nvidia-gpu-driver-default-ubuntu24.04"
    assert made["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"] == "nvidia-driver"
    assert made["metadata"]["ownerReferences"][0]["kind"] == "NVIDIADriver"
    assert made["metadata"]["labels"]["nvidia.com/gpu-operator.state"] == "state-driver"


def test_its_driver_is_told_the_type_of_kernel_modules() -> None:
    driver = a_driver(default=True, kernelModuleType="open", env=[{"name": "A", "value": "b"}])
    (made,) = sets([Apply(obj) for obj in standing(a_gpu_node(**{OWNER: "default"}), driver)]).values()
    env = {each["name"]: each["value"] for each in made["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert (env["A"], env["KERNEL_MODULE_TYPE"]) == ("b", "open")


def test_its_name_ends_as_the_operator_makes_it() -> None:
    """FNV-1a of `a` is 3826002220."""
    assert short_hash("a") == "7d6b446664"


def test_accounts_come_before_the_pods_that_use_them() -> None:
    found = effects(a_gpu_node(**{OWNER: "default"}), a_driver(default=True))
    kinds = [e.obj["kind"] for e in found if isinstance(e, Apply)]
    assert kinds == ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ConfigMap"]


def test_a_precompiled_driver_has_one_for_each_kernel() -> None:
    kernel = "feature.node.kubernetes.io/kernel-version.full"
    nodes = [a_gpu_node(f"gpu-{n}", **{OWNER: "default", kernel: f"6.8.0-8{n}-generic"}) for n in (5, 6)]
    driver = a_driver(usePrecompiled=True, default=True, version="580")
    made = sets([Apply(obj) for obj in standing(*nodes, driver)])
    assert sorted(each["spec"]["template"]["spec"]["containers"][0]["image"] for each in made.values()) == [
        "nvcr.io/nvidia/driver:580-6.8.0-85-generic-ubuntu24.04",
        "nvcr.io/nvidia/driver:580-6.8.0-86-generic-ubuntu24.04",
    ]


def test_nodes_are_labelled_with_the_driver_that_selects_them_and_the_default_takes_the_rest() -> None:
    mine = a_driver("mine", nodeSelector={"pool": "a"})
    nodes = [a_gpu_node("gpu-0", pool="a"), a_gpu_node("gpu-1", pool="b")]
    patched = [e for e in effects(*nodes, mine, a_driver(default=True)) if isinstance(e, Patch) and not e.subresource]
    patches = {e.ref.name: e.body["metadata"] for e in patched}
    assert {node: patch["labels"][OWNER] for node, patch in patches.items()} == {"gpu-0": "mine", "gpu-1": "default"}
    assert patches["gpu-0"]["annotations"] == {"nvidia.com/gpu-driver-upgrade-enabled": "true"}


def test_two_drivers_for_one_node_are_a_conflict_and_nothing_is_made() -> None:
    found = effects(a_gpu_node(), a_driver("one"), a_driver("two"))
    reason = ("notReady", "ConflictingNodeSelector", "multiple NVIDIADrivers match the same node gpu-0: [one two]")
    assert says(found, "one") == says(found, "two") == reason
    assert not sets(found)


def test_without_the_switch_in_the_policy_it_is_disabled() -> None:
    found = effects(a_gpu_node(), a_driver(default=True), policy=a_policy())
    assert says(found) == ("disabled", "Reconciled", "useNvidiaDriverCRD is not enabled in ClusterPolicy")


def test_it_is_ready_once_its_pods_are() -> None:
    node, driver = a_gpu_node(**{OWNER: "default"}), a_driver(default=True)
    made = standing(node, driver)
    assert says(effects(node, driver, *made)) == ("notReady", "DriverNotReady", "Waiting for driver pod to be ready")
    for obj in made:
        if obj["kind"] == "DaemonSet":
            counts = ("desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled", "observedGeneration")
            obj["status"] = dict.fromkeys(counts, 1)
    ready = says(effects(node, driver, *made))
    assert ready == ("ready", "Reconciled", "All resources have been successfully reconciled")


def test_the_daemonset_of_a_system_that_has_no_node_left_goes() -> None:
    node, driver = a_gpu_node(**{OWNER: "default"}), a_driver(default=True)
    made = standing(node, driver)
    gone = effects(driver, *made)
    assert [e.ref.kind for e in gone if isinstance(e, Remove)] == ["DaemonSet"]


@pytest.mark.parametrize(
    ("state", "ready"), [("upgrade-done", True), ("upgrade-failed", False), ("cordon-required", False)]
)
def test_the_policy_is_not_ready_while_an_upgrade_of_its_drivers_is_not_through(state: str, ready: bool) -> None:
    node = a_gpu_node(**{OWNER: "default", STATE: state})
    _, verdict = gpu_operator.reconcile_operands(a_view(node, POLICY), POLICY, "gpu-operator")
    assert ("NVIDIADriver upgrade has not completed" in verdict.message) is not ready


def test_the_chart_makes_a_default_driver_of_its_values() -> None:
    given = {"driver": {"nvidiaDriverCRD": {"enabled": True}, "version": "580.1"}}
    values = with_defaults(CHART.values, given)
    made = default_driver(values)
    assert made is not None
    spec = made["spec"]
    fixed = {key: spec[key] for key in ("default", "driverType", "version", "usePrecompiled")}
    assert fixed == {"default": True, "driverType": "gpu", "version": "580.1", "usePrecompiled": False}
    assert spec["upgradePolicy"]["podDeletion"]["timeoutSeconds"] == 300
    assert default_driver(with_defaults(CHART.values, {})) is None
