"""Makes the values of the chart from the inputs. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiinfra.domains.kubernetes.charts.block import NOTHING
from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import VALIDATOR_IMAGE
from aiinfra.domains.kubernetes.charts.images import image_values, secret_names
from aiinfra.domains.kubernetes.charts.trees import overlay
from stacks.gpu_operator.spec import GpuOperatorInputs, Toolkit

FIELDS = {
    "driver.enabled": "driver.enabled",
    "driver.version": "driver.version",
    "driver.repository": "driver.repository",
    "driver.image": "driver.image",
    "driver.kernel_module_type": "driver.kernelModuleType",
    "driver.precompiled": "driver.usePrecompiled",
    "driver.pull_secrets": "driver.imagePullSecrets",
    "toolkit.enabled": "toolkit.enabled",
    "toolkit.install_dir": "toolkit.installDir",
    "mig.strategy": "mig.strategy",
    "sharing.time_slicing": "devicePlugin.config.name",
    "monitoring.enabled": "dcgmExporter.enabled",
    "monitoring.service_monitor": "dcgmExporter.serviceMonitor.enabled",
    "tolerations": "daemonsets.tolerations",
}
"""By field, the value of the chart that it becomes."""
SHARING_KEY = "default"
"""Key of the device plugin's ConfigMap for nodes that name no other."""


def chart_values(inputs: GpuOperatorInputs, sharing_config: str) -> dict[str, Any]:
    """Return the values of the chart; `inputs.values` win over those made from fields, those over the registry.

    `sharing_config` names the device plugin's ConfigMap; empty for none.
    """
    ours = overlay(image_values(CHART, inputs.charts), field_values(inputs, sharing_config))
    return overlay(ours, inputs.values)


def field_values(inputs: GpuOperatorInputs, sharing_config: str = "") -> dict[str, Any]:
    """Return the values that are made from the fields."""
    values: dict[str, Any] = {
        "nfd": {"enabled": inputs.nfd == "bundled"},
        "driver": _driver(inputs),
        "toolkit": _toolkit(inputs.toolkit),
        "mig": {"strategy": inputs.mig.strategy},
        "dcgmExporter": {
            "enabled": inputs.monitoring.enabled,
            "serviceMonitor": {"enabled": inputs.monitoring.service_monitor},
        },
        "daemonsets": {"tolerations": [toleration.as_json() for toleration in inputs.tolerations]},
    }
    if inputs.nfd == "bundled":
        values["node-feature-discovery"] = {"worker": {"tolerations": _nfd_tolerations(inputs)}}
    if sharing_config:
        values["devicePlugin"] = {"config": {"name": sharing_config, "default": SHARING_KEY}}
    return values


def _driver(inputs: GpuOperatorInputs) -> dict[str, Any]:
    driver = inputs.driver
    if not driver.enabled:
        return {"enabled": False}
    named = {"version": driver.version, "repository": driver.repository, "image": driver.image}
    return {
        "enabled": True,
        "kernelModuleType": driver.kernel_module_type,
        "usePrecompiled": driver.precompiled,
        "imagePullSecrets": [*secret_names((inputs.charts or NOTHING).images), *driver.pull_secrets],
        **{key: value for key, value in named.items() if value},
    }


def _toolkit(toolkit: Toolkit) -> dict[str, Any]:
    place = {"installDir": toolkit.install_dir} if toolkit.install_dir else {}
    return {"enabled": toolkit.enabled, **place}


def _nfd_tolerations(inputs: GpuOperatorInputs) -> list[dict[str, str]]:
    """Return the worker's tolerations: those of the operands, and of control planes as in the chart."""
    control_plane = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}
    return [control_plane, *(toleration.as_json() for toleration in inputs.tolerations)]


def resource(inputs: GpuOperatorInputs) -> str:
    """Return the resource that a pod requests for a GPU, or a share of one."""
    shared = inputs.sharing.time_slicing
    return "nvidia.com/gpu.shared" if shared and shared.rename else "nvidia.com/gpu"


def resources(inputs: GpuOperatorInputs) -> list[str]:
    """What a node may offer: under strategy `mixed` each geometry has a resource of its own (`nvidia.com/mig-1g.5gb`).

    NVIDIA/k8s-device-plugin v0.20.0 README.md, `MIG_STRATEGY`.
    """
    return [resource(inputs), *(["nvidia.com/mig-*"] if mig_strategy(inputs) == "mixed" else [])]


def tolerations(inputs: GpuOperatorInputs) -> list[dict[str, Any]]:
    """Those that the operands are given, `inputs.values` included."""
    return list(_section(inputs, "daemonsets").get("tolerations") or ())


def validator_image(inputs: GpuOperatorInputs) -> str:
    """The image of the operands' validator: what the values say, the rest as this version of the chart has it."""
    given = {key: str(value) for key, value in _section(inputs, "validator").items() if value}
    named = replace(VALIDATOR_IMAGE, version=inputs.version)
    return str(replace(named, **{key: given[key] for key in ("repository", "image", "version") if key in given}))


def pull_secrets(inputs: GpuOperatorInputs) -> list[str]:
    """Names of the Secrets with which the validator's image is pulled."""
    return [str(name) for name in _section(inputs, "validator").get("imagePullSecrets") or ()]


def mig_strategy(inputs: GpuOperatorInputs) -> str:
    """Return the MIG strategy that the device plugin gets, `inputs.values` included."""
    return str(_section(inputs, "mig").get("strategy", "single"))


def _section(inputs: GpuOperatorInputs, name: str) -> dict[str, Any]:
    found = chart_values(inputs, "").get(name)
    return found if isinstance(found, dict) else {}
