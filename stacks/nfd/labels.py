"""How Node Feature Discovery names the label of a PCI device."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.domains.kubernetes.needs import NodeLeftovers

NVIDIA_GPU = {
    "class": "0302",
    "vendor": "10de",
}
GPU_LABELS = ("pci-10de.present", "pci-0302_10de.present", "pci-0300_10de.present")
"""What the GPU Operator takes for a GPU node (NVIDIA/gpu-operator v26.7.0 controllers/state_manager.go)."""

TRACES = NodeLeftovers(
    prefixes=("feature.node.kubernetes.io/", "nfd.node.kubernetes.io/"),
    managers=("nfd-master",),
    definition="nodefeatures.nfd.k8s-sigs.io",
)
"""Labels that stay on nodes when it is removed without its chart's hook, `nfd-master -prune`."""


def gpu_label(fields: Sequence[str]) -> str:
    """Return the label of a node with an NVIDIA data-center GPU, `feature.node.kubernetes.io/pci-10de.present`."""
    order = ("class", "vendor")
    return f"feature.node.kubernetes.io/pci-{'_'.join(NVIDIA_GPU[name] for name in order if name in fields)}.present"


def seen_by_gpu_operator(fields: Sequence[str]) -> bool:
    """Whether the GPU Operator finds GPU nodes by labels made of these fields."""
    return set(fields) <= {"class", "vendor"} and gpu_label(fields).partition("/")[2] in GPU_LABELS
