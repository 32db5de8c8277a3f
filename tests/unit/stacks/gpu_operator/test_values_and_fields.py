"""`values` and the fields of the kind are judged as one, by what the chart and its CRD accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.config.explain import explain
from aiinfra.world import World
from tests.unit.stacks.judged import CLUSTER, problems

NFD = {"nfd": {"kind": "nfd", "cluster": "${cluster}"}}
OPERATOR = {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "${nfd}"}
CHART = "chart gpu-operator v26.7.0"
AT = "stacks.gpu.values"


def said(folder: Path, **changes: Any) -> list[str]:
    return problems(folder, {**CLUSTER, **NFD, "gpu": {**OPERATOR, **changes}})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"driver": {"enabled": False}, "values": {"driver": {"enabled": True}}},
            [
                f"{AT}.driver.enabled: values.driver.enabled is true, and the field driver.enabled makes it false "
                "(drop one of them: values would win)"
            ],
        ),
        (
            {"driver": {"kernel_module_type": "open"}, "values": {"driver": {"kernelModuleType": "proprietary"}}},
            [
                f"{AT}.driver.kernelModuleType: values.driver.kernelModuleType is proprietary, and the field "
                "driver.kernel_module_type makes it open (drop one of them: values would win)"
            ],
        ),
        (
            {"sharing": {"time_slicing": {"replicas": 2}}, "values": {"devicePlugin": {"config": {"name": "mine"}}}},
            [
                f"{AT}.devicePlugin.config.name: values.devicePlugin.config.name is mine, and the field "
                "sharing.time_slicing makes it device-plugin (drop one of them: values would win)"
            ],
        ),
        (
            {"sharing": {"time_slicing": {"replicas": 2}}, "values": {"mig": {"strategy": "mixed"}}},
            [
                "stacks.gpu.sharing.time_slicing: time-slicing of nvidia.com/gpu does nothing under mig.strategy "
                "mixed, which offers nvidia.com/mig-… (set mig.strategy: single)"
            ],
        ),
        (
            {"values": {"driver": {"usePrecompiled": True, "version": "580.105.08"}}},
            [f'{AT}.driver.version: precompiled drivers are chosen by branch, not by 580.105.08 (write "580")'],
        ),
        ({"driver": {"enabled": False}, "values": {"driver": {"enabled": False}}}, []),
        ({"values": {"driver": {"enabled": False}, "mig": {"strategy": "mixed"}}}, []),
    ],
)
def test_values_that_say_something_else_than_a_field(tmp_path: Path, changes: dict[str, Any], says: list[str]) -> None:
    assert said(tmp_path, **changes) == says


@pytest.mark.parametrize(
    ("values", "at", "says"),
    [
        ({"clusterPolicy": {"deployCR": True}, "gpuCluster": {"deployCR": True}, "driver": {"enabled": False}},
         "gpuCluster.deployCR", "a GPUCluster and a ClusterPolicy exclude each other (drop one of them)"),
        ({"clusterPolicy": {"deployCR": False}, "gpuCluster": {"deployCR": True}},
         "gpuCluster.deployCR", "a GPUCluster takes drivers from NVIDIADriver objects alone (set driver.nvidiaDriverCRD.enabled: true)"),
        ({"cdi": {"enabled": False, "nriPluginEnabled": True}},
         "cdi.nriPluginEnabled", "the NRI plugin needs CDI (set cdi.enabled: true)"),
        ({"cdi": {"nriPluginEnabled": True}, "toolkit": {"enabled": False}},
         "cdi.nriPluginEnabled", "the NRI plugin needs the container toolkit, which is disabled (enable the toolkit, or drop cdi.nriPluginEnabled)"),
        ({"devicePlugin": {"config": {"create": True, "name": "mine"}}},
         "devicePlugin.config.create", "a configuration that the chart creates needs devicePlugin.config.data (give devicePlugin.config.data)"),
        ({"devicePlugin": {"config": {"create": True, "data": {"any": "…"}}}},
         "devicePlugin.config.create", "a configuration that the chart creates needs devicePlugin.config.name (give devicePlugin.config.name)"),
    ],
)  # fmt: skip
def test_what_the_templates_of_the_chart_refuse(tmp_path: Path, values: dict[str, Any], at: str, says: str) -> None:
    assert said(tmp_path, values=values) == [f"{AT}.{at}: {CHART}: {says}"]


def test_a_refusal_of_the_chart_counts_the_fields_too(tmp_path: Path) -> None:
    (problem,) = said(tmp_path, toolkit={"enabled": False}, values={"cdi": {"nriPluginEnabled": True}})

    assert problem.startswith(f"{AT}.cdi.nriPluginEnabled: {CHART}: the NRI plugin needs the container toolkit")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"toolkit": {"env": [{"name": "A", "value": "b"}, {"name": "B", "value": True}]}},
            f'toolkit.env[1].value: {CHART}: toolkit.env[1].value is true or false, where a text is wanted (quote it: "true")',
        ),
        (
            {"toolkit": {"env": [{"value": "b"}]}},
            f"toolkit.env[0].name: {CHART}: toolkit.env[0].name is required",
        ),
        (
            {"toolkit": {"env": [{"name": "A", "valu": "b"}]}},
            f"toolkit.env[0].valu: {CHART}: no value toolkit.env[0].valu is known (did you mean value?)",
        ),
        (
            {"driver": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}},
            f"driver.env[0].valueFrom: {CHART}: no value driver.env[0].valueFrom is known (did you mean value?)",
        ),
        (
            {"driver": []},
            f"driver: {CHART}: driver is a map of values, not a list",
        ),
        (
            {"daemonsets": {"annotations": {"prometheus.io/scrape": True}}},
            f'daemonsets.annotations["prometheus.io/scrape"]: {CHART}: daemonsets.annotations.prometheus.io/scrape is '
            'true or false, where a text is wanted (quote it: "true")',
        ),
        (
            {"operator": {"tolerations": [{"key": "a", "tolerationSeconds": "5"}]}},
            f"operator.tolerations[0].tolerationSeconds: {CHART}: operator.tolerations[0].tolerationSeconds is a text, "
            "where a number is wanted",
        ),
        (
            {"driver": {"imagePullSecrets": [{"name": "corp"}]}},
            f"driver.imagePullSecrets[0]: {CHART}: driver.imagePullSecrets[0] is a map, where a text is wanted",
        ),
        (
            {"migManager": {"config": {"default": "all-1g.10gb"}}},
            f'migManager.config.default: {CHART}: migManager.config.default is all-1g.10gb, and may be: all-disabled, "" '
            "(a profile is a label of each node: kubectl label node NODE nvidia.com/mig.config=PROFILE --overwrite)",
        ),
        (
            {"ccManager": {"defaultMode": "maybe"}},
            f"ccManager.defaultMode: {CHART}: ccManager.defaultMode is maybe, and may be: on, off, devtools",
        ),
    ],
)
def test_types_inside_lists_and_enumerations_of_the_definition(
    tmp_path: Path, values: dict[str, Any], says: str
) -> None:
    assert said(tmp_path, values=values) == [f"{AT}.{says}"]


def test_a_section_is_not_removed(tmp_path: Path) -> None:
    assert said(tmp_path, values={"driver": None}) == [
        f"{AT}.driver: driver is a map of values, and null removes all of it (drop it)"
    ]


def test_explain_shows_what_is_sent(tmp_path: Path) -> None:
    problems(tmp_path, {**CLUSTER, **NFD, "gpu": {**OPERATOR, "values": {"mig": {"strategy": "mixed"}}}})
    loaded = load_environment(str(tmp_path / "site.yaml"), world=World.real(), catalog=Catalog.installed())
    (found,) = explain(loaded, "stacks.gpu.mig.strategy")

    assert found.given.value == "mixed"
    assert "site.yaml:" in found.given.where
    assert [(one.value, one.where) for one in found.overridden] == [("single", "default of kind gpu_operator")]
