"""The NVIDIA GPU Operator v26.7.0: versions, names and order, as its source says.

Sources, all NVIDIA/gpu-operator at tag v26.7.0: images in `deployments/gpu-operator/values.yaml`, order in
`controllers/state_manager.go`, names and selectors in `assets/*/*daemonset*`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from aiinfra.dataclass import dataclass

VERSION = "v26.7.0"
OPERATOR_DEPLOYMENT = "gpu-operator"
POLICY_API, POLICY_KIND = "nvidia.com/v1", "ClusterPolicy"
DRIVER_API, DRIVER_KIND = "nvidia.com/v1alpha1", "NVIDIADriver"
HELM_POLICY_NAME = "cluster-policy"
GPU_RESOURCE = "nvidia.com/gpu"

GPU_NODE_LABELS = (
    "feature.node.kubernetes.io/pci-10de.present",
    "feature.node.kubernetes.io/pci-0302_10de.present",
    "feature.node.kubernetes.io/pci-0300_10de.present",
)
"""A node has a GPU when one of these is `true`."""
NFD_LABEL_PREFIX = "feature.node.kubernetes.io/"
GPU_PRESENT = "nvidia.com/gpu.present"
DEPLOY_PREFIX = "nvidia.com/gpu.deploy."
MPS_CAPABLE = "nvidia.com/mps.capable"
UPGRADE_ENABLED = "nvidia.com/gpu-driver-upgrade-enabled"
"""Annotation of a GPU node whose driver the operator upgrades by itself."""
DRIVER_OWNER = "nvidia.com/gpu-operator.driver.owner"
"""Label of a GPU node: the NVIDIADriver that its driver comes from."""
OPERANDS_DISABLED = ("nvidia.com/gpu.deploy.operands", "false")
"""This label and value on a node keep all operands off it."""
DEPLOY_LABELS = (
    "driver",
    "gpu-feature-discovery",
    "container-toolkit",
    "device-plugin",
    "dcgm",
    "dcgm-exporter",
    "node-status-exporter",
    "operator-validator",
    "client",
)
"""The deploy labels of a node that runs containers; `mig-manager` comes on top where the GPU has MIG."""
CONTAINER = "container"
WORKLOAD_CONFIG = "nvidia.com/gpu.workload.config"
"""Label by which a node says what it is for, while the policy allows sandboxed workloads."""
WORKLOAD_LABELS: Mapping[str, tuple[str, ...]] = {
    CONTAINER: DEPLOY_LABELS,
    "vm-passthrough": (
        *("sandbox-device-plugin", "sandbox-validator", "vfio-manager", "kata-manager", "cc-manager", "client"),
    ),
    "vm-vgpu": (
        *("sandbox-device-plugin", "vgpu-manager", "vgpu-device-manager", "sandbox-validator", "cc-manager", "client"),
    ),
}
"""The deploy labels of a node by what it is for (state_manager.go `gpuStateLabels`; mode kata is not simulated)."""

MINOR_DROPPED = frozenset({"rhel", "rocky", "ol"})
"""OS ids whose minor version the driver's image tag leaves out."""


@dataclass(frozen=True, slots=True)
class Image:
    repository: str
    image: str
    version: str

    def __str__(self) -> str:
        joint = "@" if self.version.startswith("sha256:") else ":"
        return f"{self.repository}/{self.image}{joint}{self.version}"


VALIDATOR_IMAGE = Image("nvcr.io/nvidia", "gpu-operator", VERSION)
DRIVER_MANAGER_IMAGE = Image("nvcr.io/nvidia/cloud-native", "k8s-driver-manager", "v0.12.0")
IMAGES: Mapping[str, Image] = {
    "operator": Image("nvcr.io/nvidia", "gpu-operator", VERSION),
    "driver": Image("nvcr.io/nvidia", "driver", "595.91.07"),
    "toolkit": Image("nvcr.io/nvidia/k8s", "container-toolkit", "v1.20.0"),
    "devicePlugin": Image("nvcr.io/nvidia", "k8s-device-plugin", "v0.20.0"),
    "gfd": Image("nvcr.io/nvidia", "k8s-device-plugin", "v0.20.0"),
    "dcgm": Image("nvcr.io/nvidia/cloud-native", "dcgm", "4.6.0-1-ubuntu24.04"),
    "dcgmExporter": Image("nvcr.io/nvidia/k8s", "dcgm-exporter", "4.6.0-4.8.3-distroless"),
    "migManager": Image("nvcr.io/nvidia/cloud-native", "k8s-mig-manager", "v0.15.0"),
    "nodeStatusExporter": VALIDATOR_IMAGE,
    "validator": VALIDATOR_IMAGE,
}
"""The image that the operator uses when the policy names none, by key of the ClusterPolicy."""


@dataclass(frozen=True, slots=True)
class Operand:
    """One state of the operator that is a DaemonSet."""

    state: str
    component: str
    """Its key in `ClusterPolicy.spec`."""
    daemonset: str
    deploys_on: str
    """Suffix of the deploy label that its node selector asks for."""
    container: str
    account: str
    """ServiceAccount of its pods."""
    init_containers: tuple[str, ...] = ()
    enabled_by_default: bool = True
    """Whether it runs when the policy does not say."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the DaemonSet and its pods, beside `app`."""
    selected_by: tuple[str, ...] = ("app",)
    """The labels in its selector."""
    also_on: Mapping[str, str] = field(default_factory=dict)
    """Labels that its nodes must have beside the deploy label."""
    runtime_class: bool = True
    """Whether its pods ask for the runtime that the toolkit configures."""
    host_pid: bool = False


PART_OF = "app.kubernetes.io/part-of"
COMPONENT = "app.kubernetes.io/component"
DRIVER_COMPONENT = "nvidia-driver"
PRECOMPILED = "nvidia.com/precompiled"
TOOLKIT_VALIDATION = ("toolkit-validation",)
OPERANDS = (
    Operand(
        "state-driver",
        "driver",
        "nvidia-driver-daemonset",
        "driver",
        "nvidia-driver-ctr",
        "nvidia-driver",
        ("k8s-driver-manager",),
        labels={COMPONENT: DRIVER_COMPONENT, PRECOMPILED: "false"},
        runtime_class=False,
        host_pid=True,
    ),
    Operand(
        "state-container-toolkit",
        "toolkit",
        "nvidia-container-toolkit-daemonset",
        "container-toolkit",
        "nvidia-container-toolkit-ctr",
        "nvidia-container-toolkit",
        ("driver-validation",),
        runtime_class=False,
        host_pid=True,
    ),
    Operand(
        "state-operator-validation",
        "validator",
        "nvidia-operator-validator",
        "operator-validator",
        "nvidia-operator-validator",
        "nvidia-operator-validator",
        ("driver-validation", "toolkit-validation", "cuda-validation", "plugin-validation"),
        labels={PART_OF: "gpu-operator"},
        selected_by=("app", PART_OF),
    ),
    Operand(
        "state-device-plugin",
        "devicePlugin",
        "nvidia-device-plugin-daemonset",
        "device-plugin",
        "nvidia-device-plugin",
        "nvidia-device-plugin",
        TOOLKIT_VALIDATION,
    ),
    Operand(
        "state-mps-control-daemon",
        "devicePlugin",
        "nvidia-device-plugin-mps-control-daemon",
        "device-plugin",
        "mps-control-daemon-ctr",
        "nvidia-device-plugin",
        (*TOOLKIT_VALIDATION, "mps-control-daemon-mounts"),
        also_on={MPS_CAPABLE: "true"},
        host_pid=True,
    ),
    Operand("state-dcgm", "dcgm", "nvidia-dcgm", "dcgm", "nvidia-dcgm-ctr", "nvidia-dcgm", TOOLKIT_VALIDATION),
    Operand(
        "state-dcgm-exporter",
        "dcgmExporter",
        "nvidia-dcgm-exporter",
        "dcgm-exporter",
        "nvidia-dcgm-exporter",
        "nvidia-dcgm-exporter",
        TOOLKIT_VALIDATION,
    ),
    Operand(
        "gpu-feature-discovery",
        "gfd",
        "gpu-feature-discovery",
        "gpu-feature-discovery",
        "gpu-feature-discovery",
        "nvidia-gpu-feature-discovery",
        TOOLKIT_VALIDATION,
        labels={PART_OF: "nvidia-gpu"},
        selected_by=("app", PART_OF),
    ),
    Operand(
        "state-mig-manager",
        "migManager",
        "nvidia-mig-manager",
        "mig-manager",
        "nvidia-mig-manager",
        "nvidia-mig-manager",
        TOOLKIT_VALIDATION,
        host_pid=True,
    ),
    Operand(
        "state-node-status-exporter",
        "nodeStatusExporter",
        "nvidia-node-status-exporter",
        "node-status-exporter",
        "nvidia-node-status-exporter",
        "nvidia-node-status-exporter",
        enabled_by_default=False,
        runtime_class=False,
    ),
)
"""The operands, in the order in which the operator reconciles them."""


def sanitized(kernel: str) -> str:
    """Return a kernel's version as names of objects have it: without the architecture and underscores."""
    bare = re.sub(r"x86_64(?:_64k)?|aarch64(?:_64k)?", "", kernel)
    return bare.replace("_", ".").removesuffix(".").lower()


def os_tag(os_id: str, version: str) -> str:
    """The suffix of the driver's image tag: `ubuntu24.04`, `rhcos4.22`, `rhel9`."""
    return os_id + (version.split(".", maxsplit=1)[0] if os_id in MINOR_DROPPED else version)
