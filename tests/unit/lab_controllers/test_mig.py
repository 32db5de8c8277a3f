"""What the label of a node makes of its GPUs in a lab, and what the device plugin and GFD make of those."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import mig
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.device_plugin import mig_labels, resources
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.fate import fates
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.sharing import Sharing
from aiinfra.domains.kubernetes.lab.controllers.effects import Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object
from aiinfra.facts.gpus import gpu as known_gpu
from tests.unit.lab_controllers.world import MOMENT, NAMESPACE, a_node, a_pod, a_policy, a_view, an_object

A100, H100, RTX = "A100-SXM4-40GB", "H100-SXM5-80GB", "RTX-PRO-6000-Blackwell-Server"
MANAGER, NOT_SHARED = a_pod("nvidia-mig-manager"), Sharing()
OWN = """\
version: v1
mig-configs:
  mixed:
  - {device-filter: "0x20B010DE", devices: [0], mig-enabled: true, mig-devices: {"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2}}
  - {device-filter: ["0x20b010de"], devices: [1], mig-enabled: true, mig-devices: {"1g.5gb+me": 1, "1g.5gb": 6}}
  - {devices: [2, 3], mig-enabled: false}
  - {device-filter: "0x20B210DE", devices: all, mig-enabled: true, mig-devices: {"1g.10gb": 7}}
  too-many:
  - {devices: all, mig-enabled: true, mig-devices: {"3g.20gb": 2, "1g.5gb": 1}}
  not-of-this-gpu:
  - {devices: all, mig-enabled: true, mig-devices: {"1g.10gb": 7}}
"""


def cut(
    model: str, config: str, gpus: int = 8, own: str | None = None, before: str = ""
) -> tuple[dict[str, str], str, list[str]]:
    """The annotation of the node, the state that its label tells, and the apps whose pods are started again."""
    node = a_node(gpus=gpus, gpu=model, labels={mig.CONFIG: config})
    node["metadata"]["annotations"] |= {mig.GEOMETRY: before} if before else {}
    plugin, manager = a_pod("nvidia-device-plugin-daemonset"), dict(MANAGER)
    if own is not None:
        volume = {"name": "mig-parted-config", "configMap": {"name": "mine"}}
        manager["spec"] = {**manager["spec"], "volumes": [volume]}
    mine = an_object("v1", "ConfigMap", "mine", NAMESPACE, data={"config.yaml": own or ""})
    effects = list(mig.reconcile(a_view(node, manager, plugin, mine), MOMENT))
    patched = [each.body["metadata"] for each in effects if isinstance(each, Patch)]
    kept = next((each["annotations"][mig.GEOMETRY] for each in patched if "annotations" in each), "")
    state = next((each["labels"][mig.STATE] for each in patched if "labels" in each), "")
    return json.loads(kept or "{}"), state, [each.ref.name for each in effects if isinstance(each, Remove)]


def offered(model: str, config: str, strategy: str, gpus: int = 8, own: str | None = None) -> dict[str, int]:
    made, _, _ = cut(model, config, gpus, own)
    node = a_node(gpus=gpus, gpu=model)
    node["metadata"]["annotations"][mig.GEOMETRY] = json.dumps(made or [])
    machine = Hardware(known_gpu(model), gpus)
    return resources(machine, Sharing(), strategy, mig.geometries(node, machine))


@pytest.mark.parametrize(
    ("gpu", "config", "single", "mixed"),
    [
        (A100, "all-1g.5gb", {"nvidia.com/gpu": 56}, {"nvidia.com/mig-1g.5gb": 56}),
        (A100, "all-1g.5gb.me", {"nvidia.com/gpu": 8}, {"nvidia.com/mig-1g.5gb.me": 8}),
        (A100, "all-1g.10gb", {"nvidia.com/gpu": 32}, {"nvidia.com/mig-1g.10gb": 32}),
        ("A100-SXM4-80GB", "all-1g.10gb", {"nvidia.com/gpu": 56}, {"nvidia.com/mig-1g.10gb": 56}),
        (A100, "all-2g.10gb", {"nvidia.com/gpu": 24}, {"nvidia.com/mig-2g.10gb": 24}),
        (A100, "all-3g.20gb", {"nvidia.com/gpu": 16}, {"nvidia.com/mig-3g.20gb": 16}),
        (A100, "all-4g.20gb", {"nvidia.com/gpu": 8}, {"nvidia.com/mig-4g.20gb": 8}),
        (A100, "all-7g.40gb", {"nvidia.com/gpu": 8}, {"nvidia.com/mig-7g.40gb": 8}),
        ("H200", "all-1g.35gb", {"nvidia.com/gpu": 32}, {"nvidia.com/mig-1g.35gb": 32}),
        ("B200", "all-3g.90gb", {"nvidia.com/gpu": 16}, {"nvidia.com/mig-3g.90gb": 16}),
        ("A30", "all-2g.12gb.me", {"nvidia.com/gpu": 8}, {"nvidia.com/mig-2g.12gb.me": 8}),
        (RTX, "all-1g.24gb.gfx", {"nvidia.com/gpu": 32}, {"nvidia.com/mig-1g.24gb.gfx": 32}),
        (RTX, "all-2g.48gb-me", {"nvidia.com/gpu": 16}, {"nvidia.com/mig-2g.48gb-me": 16}),
        (RTX, "all-1g.24gb.me.all", {"nvidia.com/gpu": 8}, {"nvidia.com/mig-1g.24gb.me.all": 8}),
        (RTX, "all-balanced", {}, {"nvidia.com/mig-1g.24gb": 16, "nvidia.com/mig-2g.48gb": 8}),
        (
            "GH200-144G-HBM3e",
            "all-balanced",
            {},
            {"nvidia.com/mig-1g.18gb": 16, "nvidia.com/mig-2g.36gb": 8, "nvidia.com/mig-3g.72gb": 8},
        ),
        (A100, "all-enabled", {}, {}),
        (A100, "all-disabled", {"nvidia.com/gpu": 8}, {"nvidia.com/gpu": 8}),
        (H100, "all-1g.5gb", {"nvidia.com/gpu": 8}, {"nvidia.com/gpu": 8}),
        ("L40S", "all-1g.5gb", {"nvidia.com/gpu": 8}, {"nvidia.com/gpu": 8}),
    ],
)
def test_a_node_offers_what_its_label_cuts_its_gpus_into(
    gpu: str, config: str, single: dict[str, int], mixed: dict[str, int]
) -> None:
    assert (offered(gpu, config, "single"), offered(gpu, config, "mixed")) == (single, mixed)
    assert offered(gpu, config, "none") == {"nvidia.com/gpu": 8}


def test_a_configuration_of_ones_own_cuts_each_gpu_as_it_says() -> None:
    made, state, _ = cut(A100, "mixed", 4, OWN)
    assert (made, state) == (
        [{"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1}, {"1g.5gb": 6, "1g.5gb+me": 1}, None, None],
        "success",
    )
    assert offered(A100, "mixed", "mixed", 4, OWN) == {
        "nvidia.com/gpu": 2,
        "nvidia.com/mig-1g.5gb": 8,
        "nvidia.com/mig-1g.5gb.me": 1,
        "nvidia.com/mig-2g.10gb": 1,
        "nvidia.com/mig-3g.20gb": 1,
    }
    assert offered(A100, "mixed", "single", 4, OWN) == {}
    assert offered("A100-SXM4-80GB", "mixed", "single", 4, OWN) == {"nvidia.com/gpu": 28}


@pytest.mark.parametrize(
    ("config", "own", "made"),
    [
        ("all-1g.10gb", "", []),
        ("all-1g.5gb", OWN, []),
        ("too-many", OWN, [{}, None]),
        ("not-of-this-gpu", OWN, [{}, None]),
        ("mixed", "mig-configs: [", []),
    ],
)
def test_a_configuration_that_cannot_be_applied_fails(config: str, own: str, made: list[dict[str, int]]) -> None:
    kept, state, _ = cut(A100, config, 2, own)
    assert (kept or [], state) == (made, "failed")


def test_a_configuration_that_gpus_do_not_know_leaves_them_as_they_were() -> None:
    assert cut(H100, "all-1g.5gb") == ({}, "failed", [])
    assert cut(H100, "all-1g.10gb", 1) == ([{"1g.10gb": 7}], "success", ["nvidia-device-plugin-daemonset-gpu-0"])
    assert cut(H100, "all-1g.10gb", 1, before='[{"1g.10gb": 7}]') == ({}, "success", [])
    assert cut(H100, "all-1g.5gb", 1, before='[{"1g.10gb": 7}]') == ({}, "failed", [])


def test_without_the_mig_manager_a_label_changes_nothing() -> None:
    assert list(mig.reconcile(a_view(a_node(labels={mig.CONFIG: "all-1g.5gb"})), MOMENT)) == []


def crash(strategy: str, cuts: list[Mapping[str, int] | None]) -> dict[str, str]:
    node = a_node(gpus=len(cuts))
    node["metadata"]["annotations"][mig.GEOMETRY] = json.dumps(cuts)
    env = [{"name": "MIG_STRATEGY", "value": strategy}]
    plugin: Object = a_pod(
        "nvidia-device-plugin-daemonset", containers=[{"name": "plugin", "image": "p:1", "env": env}]
    )
    told = fates(a_view(a_policy(), node, plugin), MOMENT)(plugin)
    return {name: crash.message.rpartition("map: ")[2] for name, crash in told.crashes.items()}


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ([{"1g.5gb": 7}, {"1g.5gb": 7}], ""),
        ([None, None], ""),
        (
            [{"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1}],
            "invalid MIG configuration: more than one MIG device type present on node",
        ),
        (
            [{"1g.5gb": 7}, {}],
            "invalid MIG configuration: at least one device with migEnabled=true was not configured correctly: "
            "error visiting device: device 1 has no MIG devices configured",
        ),
        ([{"1g.5gb": 7}, None], "all devices on the node must be configured with the same migEnabled value"),
    ],
)
def test_under_strategy_single_unlike_gpus_stop_the_plugin(cuts: list[Mapping[str, int] | None], message: str) -> None:
    assert crash("single", cuts) == ({"plugin": message} if message else {})
    assert crash("mixed", cuts) == {}


def labelled(strategy: str, *cuts: Mapping[str, int] | None, shared: Sharing = NOT_SHARED) -> dict[str, str]:
    node = a_node(gpus=len(cuts))
    node["metadata"]["annotations"][mig.GEOMETRY] = json.dumps(cuts)
    machine = Hardware(known_gpu(A100), len(cuts))
    found = mig_labels(machine, shared, strategy, mig.geometries(node, machine))
    return {key.removeprefix("nvidia.com/"): value for key, value in found.items()}


def test_labels_tell_of_slices_as_gpu_feature_discovery_does() -> None:
    assert labelled("single", None, None) == {}
    assert labelled("single", {"1g.5gb": 7}) == {
        "gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb",
        "gpu.count": "7",
        "gpu.memory": "5120",
        "gpu.slices.gi": "1",
        "gpu.slices.ci": "1",
        "gpu.replicas": "1",
        "gpu.sharing-strategy": "none",
    }
    assert labelled("single", {"1g.5gb": 7}, None) == {
        "gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-INVALID",
        "gpu.count": "0",
        "gpu.memory": "0",
        "gpu.replicas": "0",
        "gpu.sharing-strategy": "",
    }
    assert labelled("mixed", {"1g.5gb+me": 1}, None) == {
        "mig-1g.5gb.me.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb.me",
        "mig-1g.5gb.me.count": "1",
        "mig-1g.5gb.me.memory": "5120",
        "mig-1g.5gb.me.slices.gi": "1",
        "mig-1g.5gb.me.slices.ci": "1",
        "mig-1g.5gb.me.replicas": "1",
        "mig-1g.5gb.me.sharing-strategy": "none",
    }
    assert labelled("mixed", {}) == {"gpu.replicas": "0", "gpu.sharing-strategy": "none"}


def test_slices_are_shared_by_their_own_name() -> None:
    machine, cuts = Hardware(known_gpu(A100), 2), ({"1g.5gb": 7}, None)
    node = a_node(gpus=2)
    node["metadata"]["annotations"][mig.GEOMETRY] = json.dumps(cuts)
    gpus = mig.geometries(node, machine)
    shared = Sharing("time-slicing", slices=(("nvidia.com/mig-1g.5gb", 2),))
    assert resources(machine, shared, "mixed", gpus) == {"nvidia.com/gpu": 1, "nvidia.com/mig-1g.5gb": 14}
    renamed = Sharing("time-slicing", rename=True, slices=(("nvidia.com/mig-1g.5gb", 2),))
    assert resources(machine, renamed, "mixed", gpus) == {"nvidia.com/gpu": 1, "nvidia.com/mig-1g.5gb.shared": 14}
    assert labelled("mixed", *cuts, shared=shared)["mig-1g.5gb.product"] == "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED"
