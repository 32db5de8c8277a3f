"""Values of the GPU Operator's chart to the ClusterPolicy that its template makes of them.

Most keys keep their names; those that do not are the tables below (NVIDIA/gpu-operator v26.7.0
deployments/gpu-operator/templates/clusterpolicy.yaml and values.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    DRIVER_API,
    DRIVER_KIND,
    HELM_POLICY_NAME,
    POLICY_API,
    POLICY_KIND,
)
from aiinfra.domains.kubernetes.lab.standins.charts.release import Object, object_head

SECTIONS = (
    *("operator", "daemonsets", "hostPaths", "validator", "driver", "toolkit", "devicePlugin", "dcgm"),
    *("dcgmExporter", "gfd", "mig", "migManager", "nodeStatusExporter", "cdi", "gds", "gdrcopy", "psa"),
    *("sandboxWorkloads", "vgpuManager", "vgpuDeviceManager", "vfioManager", "sandboxDevicePlugin", "ccManager"),
)
"""Keys of `ClusterPolicy.spec` that are made of the value of the same name."""
OPERATOR_FIELDS = ("runtimeClass", "use_ocp_driver_toolkit", "labels", "annotations", "metrics")
"""Fields of the value `operator` that the policy has; the others configure the operator's own Deployment."""
CHART_ONLY = {
    "driver": ("nvidiaDriverCRD",),
}
DRIVER_FIELDS = (
    *("repository", "image", "version", "kernelModuleType", "imagePullSecrets", "manager", "rdma", "certConfig"),
    *("startupProbe", "livenessProbe", "readinessProbe", "kernelModuleConfig", "secretEnv", "resources", "env", "args"),
)
"""Fields of the value `driver` that the default NVIDIADriver has under the same name."""
CONFIG_CHART_ONLY = ("create", "data")
"""Fields of `<component>.config` that only say whether the chart creates the ConfigMap."""


def cluster_policy(values: Mapping[str, Any], labels: Mapping[str, str]) -> Object:
    spec = {key: _section(key, values[key]) for key in SECTIONS}
    return object_head(POLICY_API, POLICY_KIND, HELM_POLICY_NAME, labels) | {"spec": spec}


def default_driver(values: Mapping[str, Any]) -> Object | None:
    """Return the NVIDIADriver that the chart makes of the value `driver`; None when that is not asked for.

    See deployments/gpu-operator/templates/nvidiadriver.yaml.
    """
    driver, common = values["driver"], values["daemonsets"]
    asked = driver["nvidiaDriverCRD"]
    if not (driver["enabled"] and asked["enabled"] and asked["deployDefaultCR"]):
        return None
    licence = driver["licensingConfig"]
    names = {"secretName": licence["secretName"]} if licence["secretName"] else {"name": licence["configMapName"]}
    spec = {
        **{key: driver[key] for key in DRIVER_FIELDS},
        **{key: common[key] for key in ("annotations", "labels", "tolerations")},
        **{key: values[key] for key in ("gds", "gdrcopy") if values[key]["enabled"]},
        "upgradePolicy": _driver(driver)["upgradePolicy"],
        "repoConfig": {"name": driver["repoConfig"]["configMapName"]},
        "virtualTopologyConfig": {"name": driver["virtualTopology"]["config"]},
        "licensingConfig": {**names, "nlsEnabled": licence["nlsEnabled"]} if any(names.values()) else {},
    }
    fixed = {"default": True, "driverType": asked["driverType"] or "gpu", "usePrecompiled": driver["usePrecompiled"]}
    return object_head(DRIVER_API, DRIVER_KIND, "default", {}) | {"spec": without_empty(spec) | fixed}


def _section(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    if key == "operator":
        value = {field: value[field] for field in OPERATOR_FIELDS if field in value}
    fields = {name: inner for name, inner in value.items() if name not in CHART_ONLY.get(key, ())}
    if key == "driver":
        fields |= _driver(value)
    if "config" in fields:
        fields["config"] = {k: v for k, v in fields["config"].items() if k not in CONFIG_CHART_ONLY}
    return without_empty(fields)


def _driver(value: Mapping[str, Any]) -> dict[str, Any]:
    policy = dict(value["upgradePolicy"])
    eviction = policy.pop("gpuPodDeletion", None)
    return {
        "useNvidiaDriverCRD": value["nvidiaDriverCRD"]["enabled"],
        "upgradePolicy": policy | ({"podDeletion": eviction} if eviction else {}),
    }


def without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value without empty entries, at any depth of maps; versions become texts, as in the template."""
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        filled = without_empty(inner) if isinstance(inner, Mapping) else inner
        if filled not in ({}, [], "", None):
            kept[key] = str(filled) if key == "version" else filled
    return kept
