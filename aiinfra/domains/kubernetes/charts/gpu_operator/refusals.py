"""What the chart's templates refuse.

Source: NVIDIA/gpu-operator v26.7.0 deployments/gpu-operator/templates/validations.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiinfra.domains.kubernetes.charts.helm_values import ValueProblem
from aiinfra.domains.kubernetes.charts.trees import Values


def refusals(values: Values) -> Iterator[ValueProblem]:
    """Yield a problem for each rule that values with all defaults violate.

    Its seventh rule asks the cluster whether it serves `resource.k8s.io`.
    """
    cluster, policy = _at(values, "gpuCluster.deployCR"), _at(values, "clusterPolicy.deployCR")
    driver_objects = _at(values, "driver.nvidiaDriverCRD.enabled")
    nri, config = _at(values, "cdi.nriPluginEnabled"), values.get("devicePlugin", {}).get("config", {})
    if cluster and policy:
        yield _problem("gpuCluster.deployCR", "a GPUCluster and a ClusterPolicy exclude each other", "drop one of them")
    if cluster and _at(values, "driver.enabled") and not driver_objects:
        hint = "set driver.nvidiaDriverCRD.enabled: true"
        yield _problem("gpuCluster.deployCR", "a GPUCluster takes drivers from NVIDIADriver objects alone", hint)
    if nri is True and _at(values, "cdi.enabled") is False:
        yield _problem("cdi.nriPluginEnabled", "the NRI plugin needs CDI", "set cdi.enabled: true")
    if nri is True and _at(values, "toolkit.enabled") is False:
        hint = "enable the toolkit, or drop cdi.nriPluginEnabled"
        yield _problem("cdi.nriPluginEnabled", "the NRI plugin needs the container toolkit, which is disabled", hint)
    for key in ("data", "name") if config.get("create") else ():
        if not config.get(key):
            message = f"a configuration that the chart creates needs devicePlugin.config.{key}"
            yield _problem("devicePlugin.config.create", message, f"give devicePlugin.config.{key}")


def _problem(path: str, message: str, hint: str) -> ValueProblem:
    return ValueProblem(tuple(path.split(".")), message, hint)


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values
