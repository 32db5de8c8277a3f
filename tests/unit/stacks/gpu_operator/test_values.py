from __future__ import annotations

from typing import Any

import pytest

from aiinfra.stack import Ref, StackName
from stacks.gpu_operator.sharing import config_name, device_plugin_config
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_operator.values import chart_values, resource

TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
PLAIN: dict[str, Any] = {
    "nfd": {"enabled": False},
    "driver": {"enabled": True, "kernelModuleType": "auto", "usePrecompiled": False, "imagePullSecrets": []},
    "toolkit": {"enabled": True},
    "mig": {"strategy": "single"},
    "dcgmExporter": {"enabled": True, "serviceMonitor": {"enabled": False}},
    "daemonsets": {"tolerations": [TAINT]},
}


def inputs(**changes: Any) -> GpuOperatorInputs:
    given = {"cluster": Ref(StackName("cluster")), "nfd": Ref(StackName("nfd")), **changes}
    return GpuOperatorInputs.model_validate(given)


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({}, {}),
        ({"driver": {"enabled": False}}, {"driver": {"enabled": False}}),
        (
            {"driver": {"version": "580.105.08", "repository": "reg.example/nvidia", "pull_secrets": ["ngc"]}},
            {
                "driver": {
                    **PLAIN["driver"],
                    "version": "580.105.08",
                    "repository": "reg.example/nvidia",
                    "imagePullSecrets": ["ngc"],
                }
            },
        ),
        (
            {"driver": {"version": "580", "precompiled": True, "kernel_module_type": "open"}},
            {
                "driver": {
                    **PLAIN["driver"],
                    "version": "580",
                    "usePrecompiled": True,
                    "kernelModuleType": "open",
                }
            },
        ),
        ({"toolkit": {"install_dir": "/opt/nvidia"}}, {"toolkit": {"enabled": True, "installDir": "/opt/nvidia"}}),
        ({"mig": {"strategy": "mixed"}}, {"mig": {"strategy": "mixed"}}),
        (
            {"monitoring": {"service_monitor": True}},
            {"dcgmExporter": {"enabled": True, "serviceMonitor": {"enabled": True}}},
        ),
        (
            {"tolerations": [{"key": "dedicated", "operator": "Equal", "value": "gpu"}]},
            {"daemonsets": {"tolerations": [{"key": "dedicated", "operator": "Equal", "value": "gpu"}]}},
        ),
        (
            {"values": {"mig": {"strategy": "none"}, "gdrcopy": {"enabled": True}}},
            {"mig": {"strategy": "none"}, "gdrcopy": {"enabled": True}},
        ),
    ],
)
def test_what_the_inputs_come_to(changes: dict[str, Any], differs: dict[str, Any]) -> None:
    assert chart_values(inputs(**changes), "") == {**PLAIN, **differs}


def test_the_bundled_nfd_reaches_the_nodes_that_the_operands_reach() -> None:
    dedicated = {"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}
    values = chart_values(inputs(nfd="bundled", tolerations=[dedicated]), "")

    assert values["nfd"] == {"enabled": True}
    assert dedicated in values["node-feature-discovery"]["worker"]["tolerations"]


def test_time_slicing_is_a_document_of_the_device_plugin() -> None:
    shared = inputs(mig={"strategy": "none"}, sharing={"time_slicing": {"replicas": 4}})
    document = device_plugin_config(shared)

    assert document == (
        "version: v1\n"
        "flags:\n"
        '  migStrategy: "none"\n'
        "sharing:\n"
        "  timeSlicing:\n"
        "    renameByDefault: false\n"
        "    failRequestsGreaterThanOne: false\n"
        "    resources:\n"
        "    - name: nvidia.com/gpu\n"
        "      replicas: 4\n"
    )
    assert chart_values(shared, config_name(document))["devicePlugin"] == {
        "config": {"name": config_name(document), "default": "default"}
    }


def test_another_document_has_another_name_so_that_the_operator_rolls_its_pods() -> None:
    four, eight = (
        config_name(device_plugin_config(inputs(sharing={"time_slicing": {"replicas": replicas}})))
        for replicas in (4, 8)
    )

    assert four != eight
    assert config_name(device_plugin_config(inputs())) == ""


@pytest.mark.parametrize(
    ("sharing", "name"),
    [
        ({}, "nvidia.com/gpu"),
        ({"time_slicing": {"replicas": 4}}, "nvidia.com/gpu"),
        ({"time_slicing": {"replicas": 4, "rename": True}}, "nvidia.com/gpu.shared"),
    ],
)
def test_what_a_pod_asks_for(sharing: dict[str, Any], name: str) -> None:
    assert resource(inputs(sharing=sharing)) == name
