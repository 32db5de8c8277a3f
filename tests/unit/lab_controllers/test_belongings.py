"""What the operator makes beside its DaemonSets, which a destroy must meet, and what its pods say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operator as gpu_operator
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.belongings import changes, desired
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import daemonsets
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operator import desired_labels, label_patch
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import OsInfo
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object
from tests.unit.lab_controllers.world import MOMENT, NAMESPACE, a_gpu_node, a_policy, a_view, an_object, an_operator

INFO = OsInfo("ubuntu24.04", {"6.8.0-85-generic": "ubuntu24.04"})


def names(kind: str, **spec: Any) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in desired(a_policy(**spec), NAMESPACE) if obj["kind"] == kind)


def template(name: str, **spec: Any) -> Object:
    policy = a_policy(**spec)
    sets = {each["metadata"]["name"]: each for _, made in daemonsets(policy, NAMESPACE, INFO) for each in made}
    return dict(sets[name]["spec"]["template"])


def test_each_enabled_state_has_its_account_roles_config_maps_and_services() -> None:
    assert names("ServiceAccount", dcgm={"enabled": False}) == [
        "nvidia-container-toolkit",
        "nvidia-dcgm-exporter",
        "nvidia-device-plugin",
        "nvidia-device-plugin-mps-control-daemon",
        "nvidia-driver",
        "nvidia-gpu-feature-discovery",
        "nvidia-mig-manager",
        "nvidia-operator-validator",
    ]
    assert names("ClusterRoleBinding") == [
        "nvidia-dcgm-exporter-read-pods",
        "nvidia-device-plugin",
        "nvidia-device-plugin-mps-control-daemon",
        "nvidia-driver",
        "nvidia-gpu-feature-discovery",
        "nvidia-mig-manager",
        "nvidia-operator-validator",
    ]
    assert names("ConfigMap") == [
        "default-gpu-clients",
        "default-mig-parted-config",
        "nvidia-container-toolkit-entrypoint",
        "nvidia-device-plugin-entrypoint",
        "nvidia-driver-startup-probe",
        "nvidia-mig-manager-entrypoint",
    ]
    assert names("Service", dcgm={"enabled": False}) == ["gpu-operator", "nvidia-dcgm-exporter"]


def test_everything_is_owned_by_the_policy_so_that_it_goes_with_it() -> None:
    owners = {obj["metadata"]["ownerReferences"][0]["uid"] for obj in desired(a_policy(), NAMESPACE)}
    assert owners == {"uid-of-cluster-policy"}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({}, ["nvidia", "nvidia-cdi", "nvidia-legacy"]),
        ({"cdi": {"enabled": False}}, ["nvidia"]),
        ({"cdi": {"nriPluginEnabled": True}}, []),
        ({"operator": {"runtimeClass": "gpu"}, "cdi": {"enabled": False}}, ["gpu"]),
    ],
)
def test_runtime_classes_follow_the_way_devices_are_injected(spec: dict[str, Any], found: list[str]) -> None:
    assert names("RuntimeClass", **spec) == found


def test_what_a_disabled_state_made_goes_and_what_others_made_stays() -> None:
    standing = list(desired(a_policy(), NAMESPACE))
    foreign = an_object("v1", "ServiceAccount", "nvidia-dcgm", "elsewhere")
    off = a_policy(dcgm={"enabled": False}, cdi={"enabled": False})
    effects = list(changes(a_view(foreign, *standing), off, NAMESPACE))
    assert sorted(str(e.ref) for e in effects if isinstance(e, Remove)) == [
        "Role gpu-operator/nvidia-dcgm",
        "RoleBinding gpu-operator/nvidia-dcgm",
        "RuntimeClass nvidia-cdi",
        "RuntimeClass nvidia-legacy",
        "Service gpu-operator/nvidia-dcgm",
        "ServiceAccount gpu-operator/nvidia-dcgm",
    ]


def test_what_was_changed_by_hand_is_put_back_and_defaults_of_the_api_are_no_change() -> None:
    standing = list(desired(a_policy(), NAMESPACE))
    service = next(obj for obj in standing if obj["kind"] == "Service")
    service["spec"] |= {"clusterIP": "10.96.0.9", "type": "ClusterIP"}
    assert list(changes(a_view(*standing), a_policy(), NAMESPACE)) == []
    role = next(obj for obj in standing if obj["kind"] == "ClusterRole")
    role["rules"] = role["rules"][1:]
    (back,) = changes(a_view(*standing), a_policy(), NAMESPACE)
    assert isinstance(back, Apply)
    assert back.obj["metadata"]["name"] == "nvidia-driver"


def test_a_table_of_mig_profiles_of_ones_own_replaces_the_default() -> None:
    assert "default-mig-parted-config" not in names("ConfigMap", migManager={"config": {"name": "mine"}})
    assert template("nvidia-mig-manager", migManager={"config": {"name": "mine"}})["spec"]["volumes"][0] == {
        "name": "mig-parted-config",
        "configMap": {"name": "mine"},
    }


def test_pods_that_use_gpus_ask_for_the_runtime_and_those_that_bring_it_do_not() -> None:
    made = {operand.state: sets[0] for operand, sets in daemonsets(a_policy(), NAMESPACE, INFO) if sets}
    asking = {state: each["spec"]["template"]["spec"].get("runtimeClassName") for state, each in made.items()}
    assert asking == {
        "state-driver": None,
        "state-container-toolkit": None,
        "state-operator-validation": "nvidia",
        "state-device-plugin": "nvidia",
        "state-mps-control-daemon": "nvidia",
        "state-dcgm": "nvidia",
        "state-dcgm-exporter": "nvidia",
        "gpu-feature-discovery": "nvidia",
        "state-mig-manager": "nvidia",
    }
    off = template("nvidia-device-plugin-daemonset", cdi={"enabled": True, "nriPluginEnabled": True})
    assert "runtimeClassName" not in off["spec"]


def test_a_new_config_map_changes_the_template_of_all_that_read_it() -> None:
    readers = ("nvidia-device-plugin-daemonset", "nvidia-device-plugin-mps-control-daemon", "gpu-feature-discovery")
    for reader in readers:
        four = template(reader, devicePlugin={"config": {"name": "device-plugin-4", "default": "any"}})
        eight = template(reader, devicePlugin={"config": {"name": "device-plugin-8", "default": "any"}})
        assert four != eight
        assert [c["name"] for c in four["spec"]["initContainers"]][-1] == "config-manager-init"
        assert [c["name"] for c in four["spec"]["containers"]][-1] == "config-manager"
        assert {"name": "device-plugin-4", "configMap": {"name": "device-plugin-4"}} in four["spec"]["volumes"]


def test_the_mps_daemon_runs_where_gfd_says_that_gpus_are_shared_by_mps() -> None:
    spec = template("nvidia-device-plugin-mps-control-daemon")["spec"]
    assert spec["nodeSelector"] == {
        "nvidia.com/gpu.deploy.device-plugin": "true",
        "nvidia.com/mps.capable": "true",
    }
    assert [c["name"] for c in spec["initContainers"]] == ["toolkit-validation", "mps-control-daemon-mounts"]
    assert spec["serviceAccountName"] == "nvidia-device-plugin"


@pytest.mark.parametrize(("automatic", "value"), [(True, "true"), (False, None)])
def test_gpu_nodes_say_whether_their_driver_is_upgraded(automatic: bool, value: str | None) -> None:
    policy = a_policy(driver={"upgradePolicy": {"autoUpgrade": automatic}})
    node = a_gpu_node()
    node["metadata"]["annotations"]["nvidia.com/gpu-driver-upgrade-enabled"] = "" if automatic else "true"
    patch = label_patch(node, policy)
    assert patch is not None
    assert patch.body["metadata"]["annotations"] == {"nvidia.com/gpu-driver-upgrade-enabled": value}


def test_nodes_for_virtual_machines_lose_what_containers_need() -> None:
    policy = a_policy(sandboxWorkloads={"enabled": True, "defaultWorkload": "vm-passthrough"})
    has = {
        "feature.node.kubernetes.io/pci-10de.present": "true",
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.deploy.device-plugin": "true",
        "nvidia.com/gpu.deploy.mig-manager": "true",
    }
    says = desired_labels(has, policy)
    assert says["nvidia.com/gpu.deploy.device-plugin"] is None
    assert says["nvidia.com/gpu.deploy.mig-manager"] is None
    assert says["nvidia.com/gpu.deploy.vfio-manager"] == "true"
    own = desired_labels({**has, "nvidia.com/gpu.workload.config": "container"}, policy)
    assert own["nvidia.com/gpu.deploy.device-plugin"] == "true"
    assert "nvidia.com/gpu.deploy.vfio-manager" not in own


def test_a_policy_that_is_refused_makes_nothing() -> None:
    policy = a_policy(cdi={"enabled": False, "nriPluginEnabled": True})
    effects = gpu_operator.reconcile(a_view(an_operator(), policy, a_gpu_node()), MOMENT)
    assert [e for e in effects if isinstance(e, Apply)] == []
