"""What of a ClusterPolicy shows in the pods of operands beside images and fields of their own section. Pure.

NVIDIA/gpu-operator v26.7.0 controllers/object_controls.go: `applyMIGConfiguration`, `transformDriverContainer`,
`transformDriverManagerInitContainer`, `handleDevicePluginConfig`, `setRuntimeClassName`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import Operand
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operands
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import section
from aiinfra.domains.kubernetes.lab.controllers.view import Object

OF_MIG: Final = frozenset({"devicePlugin", "gfd"})
WITHOUT_RUNTIME: Final = frozenset({"driver", "toolkit", "nodeStatusExporter"})
"""Components whose pods run before the toolkit has brought its runtime."""


def traced(policy: Object, walk: Iterable[tuple[Operand, list[Object]]]) -> Iterator[tuple[Operand, list[Object]]]:
    """Yield the operands of `operands.daemonsets` with these traces in their DaemonSets."""
    for operand, daemonsets in walk:
        for daemonset in daemonsets:
            _trace(policy, operand, daemonset["spec"]["template"]["spec"])
        yield operand, [operands.hashed(daemonset) for daemonset in daemonsets]


def _trace(policy: Object, operand: Operand, pod: dict[str, Any]) -> None:
    main, env = pod["containers"][0], _env(policy, operand)
    if env:
        given = {each["name"] for each in main.get("env") or ()}
        added = [{"name": key, "value": value} for key, value in env.items() if key not in given]
        main["env"] = [*(main.get("env") or ()), *added]
    manager = section(policy, operand.component).get("manager") or {}
    if operand.component == "driver" and manager.get("env"):
        pod["initContainers"][0]["env"] = list(manager["env"])
    if operand.component in OF_MIG:
        _configure(section(policy, "devicePlugin").get("config") or {}, pod)
    if operand.component not in WITHOUT_RUNTIME and not section(policy, "cdi").get("nriPluginEnabled", False):
        pod["runtimeClassName"] = section(policy, "operator").get("runtimeClass") or "nvidia"


def _env(policy: Object, operand: Operand) -> Mapping[str, str]:
    if operand.component == "driver":
        modules = section(policy, "driver").get("kernelModuleType")
        return {"KERNEL_MODULE_TYPE": modules} if modules else {}
    strategy = section(policy, "mig").get("strategy")
    return {"MIG_STRATEGY": strategy} if strategy and operand.component in OF_MIG else {}


def _configure(config: Mapping[str, Any], pod: dict[str, Any]) -> None:
    name, volumes = config.get("name"), pod.get("volumes") or []
    if name and not any((volume.get("configMap") or {}).get("name") == name for volume in volumes):
        pod["volumes"] = [*volumes, {"name": name, "configMap": {"name": name}}]
