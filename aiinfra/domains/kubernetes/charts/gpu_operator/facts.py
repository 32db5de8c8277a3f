"""The chart of the GPU Operator v26.7.0 (NVIDIA/gpu-operator deployments/gpu-operator, NVIDIA/cloud-native-docs).

Its values are named as the fields of ClusterPolicy but for a few; the lab's stand-in for the chart turns one into the
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts, Reference
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    DRIVER_MANAGER_IMAGE,
    IMAGES,
    VERSION,
    Image,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.refusals import refusals
from aiinfra.domains.kubernetes.charts.nfd import facts as nfd_chart
from aiinfra.domains.kubernetes.charts.trees import (
    ANY_LIST,
    ANY_MAP,
    ENV,
    TEXT_LIST,
    TEXTS,
    Each,
    OneOf,
    Open,
    overlay,
    tolerations,
)

NAME = "gpu-operator"
_ENV = Each({"name": "", "value": ""}, [], ("name",))
"""Of operands: the ClusterPolicy takes names and values alone (its CRD in v26.7.0, `EnvVar`)."""
PCI_CLASSES = ("02", "0200", "0207", "0300", "0302")
"""PCI classes that the bundled NFD turns into labels."""


def _bare_image(image: Image) -> dict[str, Any]:
    return {
        "repository": image.repository,
        "image": image.image,
        "version": image.version,
        "imagePullPolicy": "IfNotPresent",
    }


def _image(image: Image) -> dict[str, Any]:
    return {**_bare_image(image), "imagePullSecrets": TEXT_LIST}


def _without(values: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return values without keys that its templates do not read, other than for its siblings."""
    return {key: value for key, value in values.items() if key not in keys}


def _operand(key: str, **more: Any) -> dict[str, Any]:
    run = {"enabled": True, "env": _ENV, "args": TEXT_LIST, "resources": ANY_MAP, "hostNetwork": False}
    return {**run, **_image(IMAGES[key]), **more}


def _optional(**more: Any) -> dict[str, Any]:
    """Return the defaults of a component that is off and whose image the operator knows by itself."""
    image = {"repository": "", "image": "", "version": "", "imagePullPolicy": "", "imagePullSecrets": TEXT_LIST}
    return {"enabled": False, "env": _ENV, "args": TEXT_LIST, "resources": ANY_MAP, **image, **more}


def _sandbox(**more: Any) -> dict[str, Any]:
    """Return the defaults of a component of sandboxed workloads."""
    return _optional(hostNetwork=False, **more)


_EVICTION = {"force": False, "timeoutSeconds": 300, "deleteEmptyDir": False}
_SERVICE_MONITOR = {
    "enabled": False,
    "interval": "15s",
    "scrapeTimeout": "",
    "honorLabels": False,
    "additionalLabels": TEXTS,
    "relabelings": ANY_LIST,
}
_CONFIG = {"create": False, "name": "", "default": "", "data": ANY_MAP}
_NO_MIG = OneOf(
    "all-disabled",
    ("all-disabled", ""),
    "a profile is a label of each node: kubectl label node NODE nvidia.com/mig.config=PROFILE --overwrite",
)
"""Of the CRD: config.default is no way to give all nodes a MIG geometry."""
_MANAGER: Mapping[str, Any] = {**_bare_image(DRIVER_MANAGER_IMAGE), "env": _ENV}
_DRIVER: Mapping[str, Any] = {
    "nvidiaDriverCRD": {"enabled": False, "deployDefaultCR": True, "driverType": "gpu", "nodeSelector": TEXTS},
    "kernelModuleType": OneOf("auto", ("auto", "open", "proprietary")),
    "usePrecompiled": False,
    "rdma": {"enabled": False, "useHostMofed": False},
    "licensingConfig": {"secretName": "", "configMapName": "", "nlsEnabled": True},
    "virtualTopology": {"config": ""},
    "kernelModuleConfig": {"name": ""},
    "repoConfig": {"configMapName": ""},
    "certConfig": {"name": ""},
    "secretEnv": "",
    "manager": _MANAGER,
    "startupProbe": Open(
        {"initialDelaySeconds": 60, "periodSeconds": 10, "timeoutSeconds": 60, "failureThreshold": 120}
    ),
    "livenessProbe": ANY_MAP,
    "readinessProbe": ANY_MAP,
    "upgradePolicy": {
        "autoUpgrade": True,
        "maxParallelUpgrades": 1,
        "maxUnavailable": "25%",
        "waitForCompletion": {"timeoutSeconds": 0, "podSelector": ""},
        "gpuPodDeletion": _EVICTION,
        "drain": {**_EVICTION, "enable": False, "podSelector": ""},
    },
}
_DCGM_EXPORTER: Mapping[str, Any] = {
    "annotations": TEXTS,
    "serviceMonitor": _SERVICE_MONITOR,
    "service": {"type": "ClusterIP", "internalTrafficPolicy": "Cluster"},
    "hostPID": False,
    "enablePodLabels": False,
    "enablePodUID": False,
    "podLabelAllowlistRegex": ANY_LIST,
    "hpcJobMapping": {"enabled": False, "directory": "/var/lib/dcgm-exporter/job-mapping"},
    "config": {"create": False, "name": "", "data": ANY_MAP},
}
_DAEMONSETS: Mapping[str, Any] = {
    "labels": TEXTS,
    "annotations": TEXTS,
    "priorityClassName": "system-node-critical",
    "tolerations": tolerations([{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]),
    "updateStrategy": OneOf("RollingUpdate", ("RollingUpdate", "OnDelete")),
    "rollingUpdate": {"maxUnavailable": "1"},
}
_OPERATOR: Mapping[str, Any] = {
    **_image(IMAGES["operator"]),
    "env": ENV,
    "defaultGPUMode": "",
    "runtimeClass": "nvidia",
    "use_ocp_driver_toolkit": False,
    "upgradeCRD": True,
    "cleanupCRD": False,
    "priorityClassName": "system-node-critical",
    "tolerations": tolerations([nfd_chart.CONTROL_PLANE]),
    "nodeSelector": TEXTS,
    "affinity": ANY_MAP,
    "annotations": TEXTS,
    "labels": TEXTS,
    "resources": ANY_MAP,
    "logging": ANY_MAP,
    "metrics": {"serviceMonitor": _SERVICE_MONITOR},
}
_CHECKS = {
    check: {"env": _ENV} for check in ("plugin", "toolkit", "driver", "cuda", "vfioPCI", "vgpuManager", "vgpuDevices")
}
_SANDBOX: Mapping[str, Any] = {
    "sandboxWorkloads": {
        "enabled": False,
        "defaultWorkload": OneOf("container", ("container", "vm-passthrough", "vm-vgpu")),
        "mode": OneOf("kubevirt", ("kubevirt", "kata")),
    },
    "vgpuManager": _sandbox(driverManager=_MANAGER, kernelModuleConfig={"name": ""}),
    "vgpuDeviceManager": _sandbox(config={"name": "", "default": "default"}),
    "vfioManager": _sandbox(driverManager=_MANAGER),
    "sandboxDevicePlugin": _sandbox(),
    "ccManager": _sandbox(defaultMode=OneOf("off", ("on", "off", "devtools"))),
    "kataManager": _sandbox(config=ANY_MAP),
    "kataSandboxDevicePlugin": _sandbox(),
}
_DRA_DRIVER: Mapping[str, Any] = {
    **_without(_optional(), "enabled", "env", "args", "resources"),
    "featureGates": ANY_MAP,
    "gpus": {"kubeletPlugin": ANY_MAP},
    "computeDomains": {"enabled": True, "controller": ANY_MAP, "kubeletPlugin": ANY_MAP},
}
BUNDLED_NFD: Mapping[str, Any] = {
    "priorityClassName": "system-node-critical",
    "gc": {"enable": True, "replicaCount": 1},
    "worker": {
        "tolerations": tolerations(
            [nfd_chart.CONTROL_PLANE, {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
        ),
        "config": Open(
            {"sources": {"pci": {"deviceClassWhitelist": list(PCI_CLASSES), "deviceLabelFields": ["vendor"]}}}
        ),
    },
}
"""The values that this chart sets for its subchart (facts of deployments/gpu-operator/values.yaml)."""
VALUES: Mapping[str, Any] = {
    "platform": {"openshift": False},
    "nfd": {"enabled": True, "nodefeaturerules": False},
    "psa": {"enabled": False},
    "cdi": {"enabled": True, "nriPluginEnabled": False},
    "hostPaths": {
        "rootFS": "/",
        "driverInstallDir": "/run/nvidia/driver",
        "kubeletRootDir": "/var/lib/kubelet",
    },
    "clusterPolicy": {"deployCR": True},
    "gpuCluster": {"deployCR": False},
    "daemonsets": _DAEMONSETS,
    "operator": _OPERATOR,
    "validator": _without(_operand("validator", **_CHECKS), "enabled"),
    "driver": _operand("driver", **_DRIVER),
    "toolkit": _without(_operand("toolkit", installDir="/usr/local/nvidia"), "args"),
    "devicePlugin": _operand("devicePlugin", config=_CONFIG, mps={"root": "/run/nvidia/mps"}),
    "dcgm": _operand("dcgm", enabled=False),
    "dcgmExporter": _operand("dcgmExporter", **_DCGM_EXPORTER),
    "gfd": _operand("gfd"),
    "mig": {"strategy": OneOf("single", ("none", "single", "mixed"))},
    "migManager": _operand("migManager", config={**_CONFIG, "default": _NO_MIG}, gpuClientsConfig={"name": ""}),
    "nodeStatusExporter": _operand("nodeStatusExporter", enabled=False),
    "gds": _without(_optional(), "resources"),
    "gdrcopy": _without(_optional(), "resources"),
    "draDriver": _DRA_DRIVER,
    "extraObjects": ANY_LIST,
    "nameOverride": "",
    "fullnameOverride": "",
    **_SANDBOX,
    "node-feature-discovery": overlay(nfd_chart.VALUES, BUNDLED_NFD),
}

_NVIDIA, _K8S, _CLOUD_NATIVE = "nvcr.io/nvidia", "nvcr.io/nvidia/k8s", "nvcr.io/nvidia/cloud-native"
_IMAGES: Mapping[str, Sequence[str]] = {
    _NVIDIA: (
        *("validator", "operator", "driver", "devicePlugin", "gfd", "nodeStatusExporter"),
        *("sandboxDevicePlugin", "draDriver"),
    ),
    _K8S: ("toolkit", "dcgmExporter"),
    _CLOUD_NATIVE: (
        *("driver.manager", "dcgm", "migManager", "gds", "gdrcopy", "vgpuManager.driverManager", "vgpuDeviceManager"),
        *("vfioManager", "vfioManager.driverManager", "kataSandboxDevicePlugin", "ccManager"),
    ),
}
"""Components by the repository of their image (deployments/gpu-operator/values.yaml)."""
_PULLS = (
    *("validator", "operator", "driver", "toolkit", "devicePlugin", "dcgm", "dcgmExporter", "gfd", "migManager"),
    *("nodeStatusExporter", "gds", "gdrcopy", "vgpuManager", "vgpuDeviceManager", "vfioManager", "kataManager"),
    *("sandboxDevicePlugin", "kataSandboxDevicePlugin", "ccManager", "draDriver"),
)

CHART = ChartFacts(
    name=NAME,
    version=VERSION,
    app_version=VERSION,
    references=(Reference(NAME, "https://helm.ngc.nvidia.com/nvidia"),),
    values=VALUES,
    crds=(
        *("clusterpolicies.nvidia.com", "nvidiadrivers.nvidia.com", "gpuclusters.nvidia.com"),
        *("computedomains.resource.nvidia.com", "computedomaincliques.resource.nvidia.com"),
    ),
    adds=(
        "CustomResourceDefinitions clusterpolicies, nvidiadrivers and gpuclusters of nvidia.com",
        "CustomResourceDefinitions computedomains and computedomaincliques of resource.nvidia.com",
        "the ServiceAccount, ClusterRole, Role and bindings of the operator",
        "the Deployment gpu-operator",
        "ClusterPolicy cluster-policy, made from these values",
        "with nfd.enabled, the chart node-feature-discovery 0.19.0",
    ),
    images={
        **{f"{name}.repository": place for place, names in _IMAGES.items() for name in names},
        **{f"{nfd_chart.NAME}.{path}": image for path, image in nfd_chart.CHART.images.items()},
    },
    pull_secrets=tuple(f"{name}.imagePullSecrets" for name in _PULLS),
    pull_secret_objects=(f"{nfd_chart.NAME}.imagePullSecrets",),
    refuses=refusals,
    unowned=("NodeFeature nvidia-features-for-*",),
)
"""GPU Feature Discovery makes one NodeFeature a node (NVIDIA/k8s-device-plugin internal/lm/output.go)."""
