"""The DaemonSets that the GPU Operator makes of a ClusterPolicy. Pure.

Names, labels, selectors, service accounts, containers and their order are those of NVIDIA/gpu-operator v26.7.0
`assets/` and controllers/object_controls.go. Of volumes only those of ConfigMaps that a user gives are made: their
names roll the pods. Probes, mounts and security contexts are left out, as nothing in the lab runs them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    DEPLOY_PREFIX,
    OPERANDS,
    PART_OF,
    POLICY_API,
    POLICY_KIND,
    PRECOMPILED,
    Operand,
    sanitized,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import policy as reading
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.driven_nodes import DIGEST
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import OsInfo, section
from aiinfra.domains.kubernetes.lab.controllers.view import Object, name, uid
from aiinfra.domains.kubernetes.lab.standins.charts.release import KUBELET

HASH = "nvidia.com/last-applied-hash"
DEFAULT_TOLERATIONS = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
PRIORITY = "system-node-critical"
CONFIG_MANAGER, CONFIG_MANAGER_INIT = "config-manager", "config-manager-init"
CONFIGS = "/available-configs"
"""Where these two have the ConfigMap of the device plugin's configurations."""
MANAGED = frozenset({"state-device-plugin", "state-mps-control-daemon", "gpu-feature-discovery"})
"""States whose pods read the device plugin's configuration, which a sidecar chooses by the node's label."""
OF_MIG = frozenset({"devicePlugin", "gfd"})
"""Components whose programs are told the MIG strategy."""
MIG_CONFIG, GPU_CLIENTS = "default-mig-parted-config", "default-gpu-clients"
MODULES_VARIABLE, MIG_VARIABLE = "KERNEL_MODULE_TYPE", "MIG_STRATEGY"
"""A driver's container that gets no type of modules takes `auto`."""


def daemonsets(policy: Object, namespace: str, info: OsInfo) -> Iterator[tuple[Operand, list[Object]]]:
    """Yield each operand with its DaemonSets in the operator's order; a disabled one has none.

    Raises `policy.Irreconcilable` at the first operand whose image is not fully given.
    """
    for operand in OPERANDS:
        driver = operand.component == "driver"
        if not reading.enabled(policy, operand) or (driver and reading.by_nvidia_driver(policy)):
            yield operand, []
        elif driver and reading.precompiled(policy):
            yield operand, [_precompiled(policy, operand, namespace, info, kernel) for kernel in info.kernels]
        else:
            yield operand, [hashed(_daemonset(policy, operand, namespace, _images(policy, operand, info)))]


def _images(policy: Object, operand: Operand, info: OsInfo, kernel: str = "") -> tuple[str, str]:
    """Return the image of the container and that of the init containers."""
    if operand.component == "driver":
        return reading.driver_image(policy, info, kernel), reading.driver_manager_image(policy)
    return reading.image(policy, operand.component), reading.image(policy, "validator")


def _precompiled(policy: Object, operand: Operand, namespace: str, info: OsInfo, kernel: str) -> Object:
    """One DaemonSet for a kernel. All of them have the same selector: their nodes differ."""
    made = _daemonset(policy, operand, namespace, _images(policy, operand, info, kernel))
    made["metadata"]["name"] = f"{operand.daemonset}-{sanitized(kernel)}-{info.kernels[kernel]}"
    template = made["spec"]["template"]
    template["spec"]["nodeSelector"][reading.KERNEL] = kernel
    for labelled in (made["metadata"], template["metadata"]):
        labelled["labels"][PRECOMPILED] = "true"
    return hashed(made)


def _daemonset(policy: Object, operand: Operand, namespace: str, images: tuple[str, str]) -> Object:
    common = section(policy, "daemonsets")
    own = {"app": operand.daemonset, **operand.labels}
    given, annotations = common.get("labels") or {}, common.get("annotations") or {}
    inside = {key: value for key, value in given.items() if key not in ("app", PART_OF)}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": operand.daemonset,
            "namespace": namespace,
            "labels": {**own, **given},
            "annotations": dict(annotations),
            "ownerReferences": [owner(policy)],
        },
        "spec": {
            "selector": {"matchLabels": {key: own[key] for key in operand.selected_by}},
            "updateStrategy": _strategy(operand, common),
            "template": {
                "metadata": {"labels": {**own, **inside}, "annotations": {**annotations, **KUBELET}},
                "spec": _pod_spec(policy, operand, images),
            },
        },
    }


def owner(policy: Object) -> dict[str, Any]:
    """Return the reference by which a ClusterPolicy or NVIDIADriver owns what the operator makes of it."""
    return {
        "apiVersion": policy.get("apiVersion", POLICY_API),
        "kind": policy.get("kind", POLICY_KIND),
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
    runtime = operand.runtime_class and not reading.nri_plugin(policy)
    managers = _config_managers(policy) if operand.state in MANAGED else []
    volumes = list(_volumes(policy, operand))
    main = _container(policy, operand, images[0])
    if operand.component == "driver":
        main = with_digest(main, images[1], spec)
    return {
        "nodeSelector": {DEPLOY_PREFIX + operand.deploys_on: "true", **operand.also_on},
        "tolerations": common.get("tolerations") or DEFAULT_TOLERATIONS,
        "priorityClassName": common.get("priorityClassName") or PRIORITY,
        "serviceAccountName": operand.account,
        "initContainers": [*_init_containers(policy, operand, images), *managers[:1]],
        "containers": [main, *managers[1:]],
        **({"runtimeClassName": reading.runtime_class(policy)} if runtime else {}),
        **({"hostPID": True} if operand.host_pid else {}),
        **({"volumes": volumes} if volumes else {}),
        **pull_secrets(spec),
    }


def pull_secrets(spec: Mapping[str, Any]) -> dict[str, Any]:
    secrets = spec.get("imagePullSecrets") or ()
    return {"imagePullSecrets": [{"name": secret} for secret in secrets]} if secrets else {}


def _init_containers(policy: Object, operand: Operand, images: tuple[str, str]) -> list[Object]:
    """Return the init containers: the operand's own image is in those that do not check another operand."""
    own, checking = images
    driver = operand.component == "driver"
    manager = section(policy, "driver").get("manager") or {}
    env = manager.get("env") if driver else None
    return [
        {
            "name": each,
            "image": checking if driver or each.endswith("-validation") else own,
            **({"env": list(env)} if env else {}),
        }
        for each in operand.init_containers
    ]


def _container(policy: Object, operand: Operand, image: str) -> Object:
    spec = section(policy, operand.component)
    made = {"name": operand.container, "image": image}
    made |= {key: spec[key] for key in ("args", "env", "resources", "imagePullPolicy") if spec.get(key)}
    if operand.component == "driver":
        return with_modules(made, spec)
    if operand.component in OF_MIG:
        return _with_variable(made, MIG_VARIABLE, section(policy, "mig").get("strategy"))
    return made


def with_modules(driver: Object, spec: Mapping[str, Any]) -> Object:
    """Return a driver's container with the type of kernel modules that a policy or an NVIDIADriver asks for."""
    return _with_variable(driver, MODULES_VARIABLE, spec.get("kernelModuleType"))


def _with_variable(container: Object, variable: str, value: str | None) -> Object:
    """Return a container with a variable; one of that name that the user gave stays."""
    given = container.get("env") or ()
    if not value or any(each["name"] == variable for each in given):
        return container
    return {**container, "env": [*given, {"name": variable, "value": value}]}


def with_digest(driver: Object, manager_image: str, spec: Mapping[str, Any]) -> Object:
    """Return a driver's container with the digest of what is installed: where it stays, a restart is enough."""
    module = {key: spec.get(key) for key in ("kernelModuleType", "useOpenKernelModules", "rdma", "licensingConfig")}
    installed = {key: driver.get(key) for key in ("image", "args", "env")} | {
        "manager": manager_image,
        "module": module,
    }
    digest = hashlib.sha256(json.dumps(installed, sort_keys=True).encode()).hexdigest()[:10]
    return {**driver, "env": [*(driver.get("env") or ()), {"name": DIGEST, "value": digest}]}


def _config_managers(policy: Object) -> list[Object]:
    """Return the init container and the sidecar that choose a node's configuration; none when none is given."""
    config = section(policy, "devicePlugin").get("config") or {}
    if not config.get("name"):
        return []
    env = [{"name": "DEFAULT_CONFIG", "value": config.get("default") or ""}]
    mounts = [{"name": config["name"], "mountPath": CONFIGS}]
    common = {"image": reading.image(policy, "devicePlugin"), "env": env, "volumeMounts": mounts}
    return [{"name": called, **common} for called in (CONFIG_MANAGER_INIT, CONFIG_MANAGER)]


def _volumes(policy: Object, operand: Operand) -> Iterator[Object]:
    """Yield the volumes of ConfigMaps that the policy names."""
    config = str((section(policy, operand.component).get("config") or {}).get("name") or "")
    plugin = str((section(policy, "devicePlugin").get("config") or {}).get("name") or "")
    if operand.state in MANAGED and plugin:
        yield _volume(plugin, plugin)
    elif operand.component == "dcgmExporter" and config:
        yield _volume("metrics-config", config)
    elif operand.component == "migManager":
        clients = (section(policy, "migManager").get("gpuClientsConfig") or {}).get("name")
        yield _volume("mig-parted-config", config or MIG_CONFIG)
        yield _volume("gpu-clients", clients or GPU_CLIENTS)


def _volume(volume: str, config_map: str) -> Object:
    return {"name": volume, "configMap": {"name": config_map}}


def hashed(daemonset: Object) -> Object:
    """Return the DaemonSet with the annotation by which the operator sees that nothing changed."""
    metadata = daemonset["metadata"]
    text = json.dumps({"spec": daemonset["spec"], "metadata": metadata}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return {**daemonset, "metadata": {**metadata, "annotations": {**metadata["annotations"], HASH: digest}}}
