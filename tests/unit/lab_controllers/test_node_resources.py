"""What a node offers, and how it is labelled, once device plugin and GFD run on it."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.device_plugin import DevicePlugins, gfd_labels
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.sharing import BadConfig, Sharing, parse
from aiinfra.domains.kubernetes.lab.controllers.effects import Patch
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View
from aiinfra.facts.gpus import gpu
from tests.unit.lab_controllers.world import MOMENT, NAMESPACE, a_node, a_pod, a_policy, a_view, an_object, configured

PLUGIN, GFD = a_pod("nvidia-device-plugin-daemonset"), a_pod("gpu-feature-discovery")
MPS_DAEMON = a_pod("nvidia-device-plugin-mps-control-daemon")


def offered(view: View) -> dict[str, str]:
    """Capacity that is written to the node's status, empty when nothing is."""
    effects = [e for e in DevicePlugins().reconcile(view, MOMENT) if isinstance(e, Patch) and e.subresource == "status"]
    assert all(e.body["status"]["capacity"] == e.body["status"]["allocatable"] for e in effects)
    return dict(effects[0].body["status"]["capacity"]) if effects else {}


def offering(node: Object, count: str) -> Object:
    node["status"] = {key: {"cpu": "32", "nvidia.com/gpu": count} for key in ("capacity", "allocatable")}
    return node


def test_a_ready_plugin_offers_every_gpu_of_its_node() -> None:
    assert offered(a_view(a_policy(), a_node(), PLUGIN)) == {"nvidia.com/gpu": "8"}


def test_a_plugin_that_is_not_ready_offers_none() -> None:
    view = a_view(a_policy(), a_node(), a_pod("nvidia-device-plugin-daemonset", ready=False))
    assert offered(view) == {}


def test_what_is_offered_already_is_not_written_again() -> None:
    assert offered(a_view(a_policy(), offering(a_node(), "8"), PLUGIN)) == {}


def test_when_the_plugin_is_gone_the_count_is_zero() -> None:
    assert offered(a_view(a_policy(), offering(a_node(), "8"))) == {"nvidia.com/gpu": "0"}
    assert offered(a_view(offering(a_node(), "8"))) == {"nvidia.com/gpu": "0"}


TIME_SLICED = "sharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 4}]}}"
RENAMED = "sharing: {timeSlicing: {renameByDefault: true, resources: [{name: nvidia.com/gpu, replicas: 4}]}}"
MPS = "sharing: {mps: {resources: [{name: nvidia.com/gpu, replicas: 2}]}}"
BOTH = (
    "sharing: {mps: {resources: [{name: nvidia.com/gpu, replicas: 2}]},"
    " timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 4}]}}"
)


@pytest.mark.parametrize(
    ("config", "resources"),
    [
        (TIME_SLICED, {"nvidia.com/gpu": "32"}),
        (RENAMED, {"nvidia.com/gpu.shared": "32"}),
        (MPS, {"nvidia.com/gpu": "16"}),
    ],
)
def test_sharing_multiplies_by_the_replicas(config: str, resources: dict[str, str]) -> None:
    plugin_config = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"any": config})
    view = a_view(a_policy(), a_node(), configured(PLUGIN), MPS_DAEMON, plugin_config)
    assert offered(view) == resources


def test_with_mps_nothing_is_offered_before_its_control_daemon_runs() -> None:
    config = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"any": MPS})
    assert offered(a_view(a_policy(), a_node(), configured(PLUGIN), config)) == {}
    starting = a_pod("nvidia-device-plugin-mps-control-daemon", ready=False)
    assert offered(a_view(a_policy(), a_node(), configured(PLUGIN), starting, config)) == {}
    assert offered(a_view(a_policy(), a_node(), configured(PLUGIN), MPS_DAEMON, config)) == {"nvidia.com/gpu": "16"}


def test_a_pod_reads_the_config_map_that_it_was_made_with_whatever_the_policy_says_now() -> None:
    policy = a_policy(devicePlugin={"config": {"name": "newer", "default": "any"}})
    old = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"any": TIME_SLICED})
    newer = an_object("v1", "ConfigMap", "newer", NAMESPACE, data={"any": "version: v1"})
    assert offered(a_view(policy, a_node(), configured(PLUGIN), old, newer)) == {"nvidia.com/gpu": "32"}


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("nvcr.io/nvidia/driver:580.105.08-ubuntu24.04", "580.105.08"),
        ("nvcr.io/nvidia/driver:570-6.8.0-85-generic-ubuntu24.04", "570"),
        ("nvcr.io/nvidia/driver@sha256:abc", "595.91.07"),
    ],
)
def test_the_driver_that_gfd_reports_is_the_one_that_runs(image: str, label: str) -> None:
    driver = a_pod("nvidia-driver-daemonset", containers=[{"name": "nvidia-driver-ctr", "image": image}])
    effects = DevicePlugins().reconcile(a_view(a_policy(), a_node(), driver, PLUGIN, GFD), MOMENT)
    (labelled,) = (e for e in effects if isinstance(e, Patch) and not e.subresource)
    assert labelled.body["metadata"]["labels"]["nvidia.com/cuda.driver-version.full"] == label


def test_a_nodes_own_label_chooses_the_configuration() -> None:
    configs = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"none": "version: v1", "ts4": TIME_SLICED})
    node = a_node(labels={"nvidia.com/device-plugin.config": "ts4"})
    assert offered(a_view(a_policy(), node, configured(PLUGIN, default="none"), configs)) == {"nvidia.com/gpu": "32"}


@pytest.mark.parametrize(
    ("config", "shared"),
    [
        ("", Sharing()),
        ("version: v1", Sharing()),
        (TIME_SLICED, Sharing("time-slicing", 4)),
        (RENAMED, Sharing("time-slicing", 4, rename=True)),
        (BOTH, Sharing("mps", 2, single=True)),
        (
            "sharing: {timeSlicing: {resources: [{name: nvidia.com/mig-1g.5gb, replicas: 2}]}}",
            Sharing("time-slicing", slices=(("nvidia.com/mig-1g.5gb", 2),)),
        ),
    ],
)
def test_configurations_are_read_as_the_plugin_reads_them(config: str, shared: Sharing) -> None:
    assert parse(config) == shared


def test_fewer_than_two_replicas_do_not_parse() -> None:
    with pytest.raises(BadConfig, match=r"number of replicas must be >= 2, got 1 for nvidia\.com/gpu"):
        parse("sharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 1}]}}")


def test_gfd_labels_a_node_with_what_nvml_says() -> None:
    machine = Hardware(gpu("A100-SXM4-40GB"), 8, machine="DGX-A100")
    assert gfd_labels(machine, "595.91.07", Sharing(), "single") == {
        "nvidia.com/gpu.count": "8",
        "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB",
        "nvidia.com/gpu.memory": "40960",
        "nvidia.com/gpu.family": "ampere",
        "nvidia.com/gpu.machine": "DGX-A100",
        "nvidia.com/gpu.compute.major": "8",
        "nvidia.com/gpu.compute.minor": "0",
        "nvidia.com/gpu.replicas": "1",
        "nvidia.com/gpu.sharing-strategy": "none",
        "nvidia.com/gpu.mode": "compute",
        "nvidia.com/mig.capable": "true",
        "nvidia.com/mig.strategy": "single",
        "nvidia.com/mps.capable": "false",
        "nvidia.com/cuda.driver-version.full": "595.91.07",
        "nvidia.com/cuda.driver-version.major": "595",
        "nvidia.com/cuda.driver-version.minor": "91",
        "nvidia.com/cuda.driver-version.revision": "07",
        "nvidia.com/cuda.runtime-version.full": "13.2",
        "nvidia.com/cuda.runtime-version.major": "13",
        "nvidia.com/cuda.runtime-version.minor": "2",
    }


@pytest.mark.parametrize(
    ("shared", "product"),
    [
        (Sharing("time-slicing", 4), "NVIDIA-L40S-SHARED"),
        (Sharing("time-slicing", 4, rename=True), "NVIDIA-L40S"),
        (Sharing("mps", 2), "NVIDIA-L40S-SHARED"),
    ],
)
def test_sharing_shows_in_the_product_unless_the_resource_is_renamed(shared: Sharing, product: str) -> None:
    labels = gfd_labels(Hardware(gpu("L40S"), 4), "595.91.07", shared, "none")
    assert labels["nvidia.com/gpu.product"] == product
    assert labels["nvidia.com/gpu.count"] == "4"
    assert labels["nvidia.com/mig.capable"] == "false"


def test_gfd_labels_only_where_it_runs() -> None:
    other = a_node("gpu-1")
    view = a_view(a_policy(), offering(a_node(), "8"), offering(other, "0"), PLUGIN, GFD)
    labelled = [
        e.ref.name for e in DevicePlugins().reconcile(view, MOMENT) if isinstance(e, Patch) and not e.subresource
    ]
    assert labelled == ["gpu-0"]


def test_an_edit_of_the_configuration_reaches_no_running_plugin() -> None:
    policy, plugin = a_policy(), configured(PLUGIN)
    before = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"any": TIME_SLICED})
    after = an_object("v1", "ConfigMap", "plugin", NAMESPACE, data={"any": MPS})
    plugins = DevicePlugins()
    assert len(list(plugins.reconcile(a_view(policy, a_node(), plugin, before), MOMENT))) == 1
    assert list(plugins.reconcile(a_view(policy, offering(a_node(), "32"), plugin, after), MOMENT)) == []
    relabelled = offering(a_node(labels={"nvidia.com/device-plugin.config": "any"}), "32")
    assert len(list(plugins.reconcile(a_view(policy, relabelled, plugin, after), MOMENT))) == 1
