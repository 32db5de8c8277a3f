"""Makes the values of the chart from the inputs. Pure."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.charts.helm_values import overlay
from stacks.gpu_operator.spec import Driver, GpuOperatorInputs, Toolkit

SHARING_KEY = "default"
"""Key of the device plugin's ConfigMap for nodes that name no other."""


def chart_values(inputs: GpuOperatorInputs, sharing_config: str) -> dict[str, Any]:
    """Return the values of the chart; `inputs.values` win.

    `sharing_config` names the device plugin's ConfigMap; empty for none.
    """
    values: dict[str, Any] = {
        "nfd": {"enabled": inputs.nfd == "bundled"},
        "driver": _driver(inputs.driver),
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
    return overlay(values, inputs.values)


def _driver(driver: Driver) -> dict[str, Any]:
    if not driver.enabled:
        return {"enabled": False}
    named = {"version": driver.version, "repository": driver.repository, "image": driver.image}
    return {
        "enabled": True,
        "kernelModuleType": driver.kernel_module_type,
        "usePrecompiled": driver.precompiled,
        "imagePullSecrets": list(driver.pull_secrets),
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
