from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts import chart_of, facts_by_name
from aiinfra.domains.kubernetes.charts.helm_values import problems
from aiinfra.domains.kubernetes.charts.trees import ANY_LIST, ANY_MAP, Open, overlay, with_defaults
from aiinfra.stack import Ref, StackName

KNOWN = {
    "enabled": True,
    "image": {"tag": "v1", "pullSecrets": ANY_LIST},
    "labels": ANY_MAP,
    "replicas": 1,
    "tolerations": Open([{"key": "gpu"}]),
}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, []),
        ({"image": {"tag": "v2", "pullSecrets": ["a"]}, "labels": {"any": {"thing": 1}}, "enabled": False}, []),
        ({"image": {"tag": 2}}, []),
        ({"enabled": None, "image": None}, []),
        ({"image": {"tag": Ref(StackName("a"))}}, []),
        ({"imagee": {}}, [("no value imagee is known", "did you mean image?")]),
        ({"image": {"tga": "v2"}}, [("no value image.tga is known", "did you mean tag?")]),
        ({"zzz": 1}, [("no value zzz is known", "")]),
        ({"enabled": "yes"}, [("enabled is a text, where true or false is wanted", "")]),
        ({"enabled": 1}, [("enabled is a number, where true or false is wanted", "")]),
        ({"replicas": True}, [("replicas is true or false, where a number is wanted", "")]),
        ({"labels": []}, [("labels is a list, where a map is wanted", "")]),
        ({"tolerations": {}}, [("tolerations is a map, where a list is wanted", "")]),
        ({"image": "v2"}, [("image is a map of values, not a text", "")]),
        ({"a": 1, "b": 2}, [("no value a is known", ""), ("no value b is known", "")]),
    ],
)
def test_what_a_chart_has_no_use_for(given: dict[str, Any], says: list[tuple[str, str]]) -> None:
    assert [(problem.message, problem.hint) for problem in problems(KNOWN, given)] == says


def test_defaults_are_filled_in_at_any_depth_and_null_takes_one_away() -> None:
    assert with_defaults(KNOWN, {"image": {"pullSecrets": ["a"]}, "enabled": None, "labels": {"x": "y"}}) == {
        "image": {"tag": "v1", "pullSecrets": ["a"]},
        "labels": {"x": "y"},
        "replicas": 1,
        "tolerations": [{"key": "gpu"}],
    }


@pytest.mark.parametrize(
    ("given", "image"), [(None, {}), ([], {"tag": "v1", "pullSecrets": []}), (5, {"tag": "v1", "pullSecrets": []})]
)
def test_a_map_of_the_chart_stays_one_for_what_reads_it(given: Any, image: dict[str, Any]) -> None:
    assert with_defaults(KNOWN, {"image": given})["image"] == image


def test_an_overlay_merges_maps_replaces_the_rest_and_changes_neither() -> None:
    low: dict[str, Any] = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    high: dict[str, Any] = {"a": {"c": [3]}, "d": {"e": 1}}

    assert overlay(low, high) == {"a": {"b": 1, "c": [3]}, "d": {"e": 1}}
    assert low == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


@pytest.mark.parametrize(
    ("chart", "repository", "name"),
    [
        ("gpu-operator", "https://helm.ngc.nvidia.com/nvidia", "gpu-operator"),
        ("gpu-operator", "https://helm.ngc.nvidia.com/nvidia/", "gpu-operator"),
        ("oci://registry.k8s.io/nfd/charts/node-feature-discovery", "", "node-feature-discovery"),
        ("gpu-operator", "https://elsewhere.example", "gpu-operator"),
        ("oci://corp.example/charts/gpu-operator", "", "gpu-operator"),
        ("https://corp.example/gpu-operator-v26.7.0.tgz", "", "gpu-operator"),
        ("gpu-operators", "https://elsewhere.example", None),
        ("gpu-operator", "", None),
    ],
)
def test_a_chart_is_known_by_its_name_and_repository(chart: str, repository: str, name: str | None) -> None:
    found = chart_of(chart, repository)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("chart", facts_by_name().values(), ids=list(facts_by_name()))
def test_the_defaults_of_a_chart_are_values_that_it_takes(chart: Any) -> None:
    assert list(problems(chart.values, with_defaults(chart.values, {}))) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *(("gpu-operator", path) for path in (
            "operator.env", "operator.defaultGPUMode", "dcgmExporter.annotations", "nameOverride", "fullnameOverride",
            "extraObjects", "draDriver.computeDomains.enabled", "kataManager.config", "kataSandboxDevicePlugin.args",
            "vgpuManager.driverManager.env", "vgpuManager.kernelModuleConfig.name", "vfioManager.driverManager.version",
            "vgpuDeviceManager.hostNetwork", "ccManager.hostNetwork", "validator.vgpuDevices.env",
            "node-feature-discovery.global.imagePullSecrets",
        )),
        *(("node-feature-discovery", path) for path in (
            "global.imagePullSecrets", "checksumValuesOnly", "master.nfdApiParallelism", "worker.ownerRefs",
            "worker.updateStrategy.rollingUpdate", "gc.podDisruptionBudget.minAvailable", "worker.hostUsers",
            "topologyUpdater.networkPolicy.egress", "master.initContainers", "gc.labels",
        )),
    ],
)  # fmt: skip
def test_values_that_a_chart_reads_are_known(name: str, path: str) -> None:
    """As the charts at their tags v26.7.0 and v0.19.0 have them, in values.yaml or in a template."""
    assert list(problems(facts_by_name()[name].values, nested(path))) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *(("gpu-operator", path) for path in (
            "cdi.default", "toolkit.args", "daemonsets.podSecurityContext", "validator.enabled",
            "driver.manager.imagePullSecrets", "gds.resources", "gdrcopy.resources",
        )),
        ("node-feature-discovery", "gc.securityContext"),
    ],
)  # fmt: skip
def test_values_that_no_template_of_a_chart_reads_are_not_known(name: str, path: str) -> None:
    (problem,) = problems(facts_by_name()[name].values, nested(path))
    assert problem.message == f"no value {path} is known"


def nested(path: str) -> dict[str, Any]:
    """`a.b` as a map in a map around None, which every value may be."""
    first, _, rest = path.partition(".")
    return {first: nested(rest) if rest else None}
