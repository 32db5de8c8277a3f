"""NVIDIA's GPU Operator."""

from aiinfra.domains.kubernetes.needs import DeviceDrivers, ExtendedResources, NodeLeftovers
from aiinfra.stack import StackType
from stacks.gpu_operator.checks import Checks
from stacks.gpu_operator.spec import GpuOperatorInputs, GpuOperatorInstall
from stacks.nfd.labels import TRACES as NFD_TRACES

TRACES = NodeLeftovers(
    prefixes=("nvidia.com/",),
    managers=("gpu-operator", "nvidia-mig-manager", "nfd-master"),
    definition="clusterpolicies.nvidia.com",
)
"""None of them takes its labels off (NVIDIA/gpu-operator issue 1391); NFD sets those of GPU Feature Discovery."""
GPUS = ExtendedResources(("nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-*", "nvidia.com/[A-Zp]*"))
"""Those of the device plugin (NVIDIA/k8s-device-plugin README.md) and, for virtual machines, of
NVIDIA/kubevirt-gpu-device-plugin: `pgpu` or the GPU's own name. Network cards have other names under `nvidia.com/`."""
CLAIMED = DeviceDrivers(
    names=("gpu.nvidia.com", "compute-domain.nvidia.com"),
    programs=(
        ("app.kubernetes.io/component", "nvidia-driver"),
        ("app.kubernetes.io/component", "nvidia-dra-driver-kubelet-plugin"),
    ),
)
"""Names: NVIDIA/k8s-dra-driver-gpu cmd/{gpu,compute-domain}-kubelet-plugin/main.go. Whoever installed that driver, its
devices need NVIDIA's kernel driver; a GPUCluster brings both (NVIDIA/gpu-operator v26.7.0 manifests/state-driver and
state-dra-driver)."""
STACK = StackType(
    kind="gpu_operator",
    summary="NVIDIA's GPU Operator: driver, toolkit, device plugin, MIG, time-slicing, monitoring.",
    inputs=GpuOperatorInputs,
    outputs=GpuOperatorInstall,
    program="stacks.gpu_operator.program:program",
    domains=("kubernetes",),
    plugins=("kubernetes",),
    checks=Checks(),
    external="what its chart brings",
    leftovers=(TRACES, NFD_TRACES),
    offers=(GPUS, CLAIMED),
    known_outputs=("namespace", "version", "resource", "policy", "resources", "tolerations", "image", "pull_secrets"),
)
