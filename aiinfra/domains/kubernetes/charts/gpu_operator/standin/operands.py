"""The DaemonSets that the GPU Operator makes of a ClusterPolicy. Pure.

Names, selectors, init containers and their order are those of NVIDIA/gpu-operator v26.7.0 `assets/`; volumes, probes
and security contexts are left out, as nothing in the lab runs them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    DEPLOY_PREFIX,
    OPERANDS,
    POLICY_API,
    POLICY_KIND,
    Operand,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import policy as reading
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import OsInfo, section
from aiinfra.domains.kubernetes.lab.controllers.view import Object, name, uid
from aiinfra.domains.kubernetes.lab.standins.charts.release import KUBELET

HASH = "nvidia.com/last-applied-hash"
DEFAULT_TOLERATIONS = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
PRIORITY = "system-node-critical"
MODULES_VARIABLE = "KERNEL_MODULE_TYPE"
"""NVIDIA/gpu-operator v26.7.0 controllers/object_controls.go; a driver's container that gets none takes `auto`."""
PRECOMPILED_LABEL = "nvidia.com/precompiled"


def daemonsets(policy: Object, namespace: str, info: OsInfo) -> Iterator[tuple[Operand, list[Object]]]:
    """Yield each operand with its DaemonSets in the operator's order; a disabled one has none.

    Raises `policy.Irreconcilable` at the first operand whose image is not fully given.
    """
    for operand in OPERANDS:
        if not reading.enabled(policy, operand) or _by_nvidia_driver(policy, operand):
            yield operand, []
        elif operand.component == "driver" and reading.precompiled(policy):
            yield operand, [_precompiled(policy, operand, namespace, info, kernel) for kernel in info.kernels]
        else:
            yield operand, [_daemonset(policy, operand, namespace, _images(policy, operand, info))]


def _by_nvidia_driver(policy: Object, operand: Operand) -> bool:
    """Whether the operand is the driver and NVIDIADriver objects describe it instead of the policy."""
    return operand.component == "driver" and bool(section(policy, "driver").get("useNvidiaDriverCRD", False))


def _images(policy: Object, operand: Operand, info: OsInfo, kernel: str = "") -> tuple[str, str]:
    """Return the image of the container and that of the init containers."""
    if operand.component == "driver":
        return reading.driver_image(policy, info, kernel), reading.driver_manager_image(policy)
    return reading.image(policy, operand.component), reading.image(policy, "validator")


def _precompiled(policy: Object, operand: Operand, namespace: str, info: OsInfo, kernel: str) -> Object:
    made = _daemonset(policy, operand, namespace, _images(policy, operand, info, kernel))
    made["metadata"]["name"] = f"{operand.daemonset}-{kernel}-{info.tag}".replace("_", ".")
    made["spec"]["template"]["spec"]["nodeSelector"][reading.KERNEL] = kernel
    for labelled in (made["metadata"], made["spec"]["template"]["metadata"], made["spec"]["selector"]):
        key = "matchLabels" if labelled is made["spec"]["selector"] else "labels"
        labelled[key] |= {"app": made["metadata"]["name"], PRECOMPILED_LABEL: "true"}
    return hashed(made)


def _daemonset(policy: Object, operand: Operand, namespace: str, images: tuple[str, str]) -> Object:
    common = section(policy, "daemonsets")
    label = {"app": operand.daemonset}
    metadata = {
        "labels": {**common.get("labels", {}), **label},
        "annotations": {**common.get("annotations", {}), **KUBELET},
    }
    return hashed(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {
                "name": operand.daemonset,
                "namespace": namespace,
                "labels": {**common.get("labels", {}), **label},
                "ownerReferences": [owner(policy)],
            },
            "spec": {
                "selector": {"matchLabels": dict(label)},
                "updateStrategy": _strategy(operand, common),
                "template": {"metadata": metadata, "spec": _pod_spec(policy, operand, images)},
            },
        }
    )


def owner(policy: Object) -> dict[str, Any]:
    return {
        "apiVersion": POLICY_API,
        "kind": POLICY_KIND,
        "name": name(policy),
        "uid": uid(policy),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _strategy(operand: Operand, common: Mapping[str, Any]) -> dict[str, Any]:
    """Return the update strategy: the driver's pods are replaced only by the upgrade controller."""
    if operand.component == "driver" or common.get("updateStrategy") == "OnDelete":
        return {"type": "OnDelete"}
    unavailable = (common.get("rollingUpdate") or {}).get("maxUnavailable") or "1"
    value: int | str = int(unavailable) if str(unavailable).isdigit() else unavailable
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": value}}


def _pod_spec(policy: Object, operand: Operand, images: tuple[str, str]) -> dict[str, Any]:
    common, spec = section(policy, "daemonsets"), section(policy, operand.component)
    image, init_image = images
    secrets = spec.get("imagePullSecrets") or ()
    return {
        "nodeSelector": {DEPLOY_PREFIX + operand.deploys_on: "true"},
        "tolerations": common.get("tolerations") or DEFAULT_TOLERATIONS,
        "priorityClassName": common.get("priorityClassName") or PRIORITY,
        "initContainers": [{"name": n, "image": init_image} for n in operand.init_containers],
        "containers": [_container(operand, image, spec)],
        **({"imagePullSecrets": [{"name": secret} for secret in secrets]} if secrets else {}),
    }


def _container(operand: Operand, image: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    more = {key: spec[key] for key in ("args", "env", "resources", "imagePullPolicy") if spec.get(key)}
    if operand.component == "driver" and spec.get("kernelModuleType"):
        modules = {"name": MODULES_VARIABLE, "value": spec["kernelModuleType"]}
        more["env"] = [*more.get("env", ()), modules]
    return {"name": operand.container, "image": image, **more}


def hashed(daemonset: Object) -> Object:
    """Return the DaemonSet with the annotation by which the operator sees that nothing changed."""
    metadata = {key: value for key, value in daemonset["metadata"].items() if key != "annotations"}
    text = json.dumps({"spec": daemonset["spec"], "metadata": metadata}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return {**daemonset, "metadata": {**metadata, "annotations": {HASH: digest}}}
