"""Node Feature Discovery: labels nodes with what hardware and software they have."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.kubernetes.charts.block import ChartSources
from aiinfra.domains.kubernetes.fields import GPU_TAINT, KubernetesName, Toleration
from aiinfra.model.units import Limit
from aiinfra.stack import Input, Inputs, Linked, Outputs

DeviceLabelField = Literal["class", "vendor", "device", "subsystem_vendor", "subsystem_device"]


class NfdInputs(Inputs):
    cluster: Linked[ClusterAccess]
    """Where it goes: `${cluster}`."""
    version: str = "0.19.0"
    """Version of the chart, without a leading v."""
    namespace: KubernetesName = "node-feature-discovery"
    tolerations: tuple[Toleration, ...] = (GPU_TAINT,)
    """Taints that the worker accepts, besides those of its chart."""
    device_classes: Annotated[tuple[str, ...], Field(min_length=1)] = ("02", "0200", "0207", "0300", "0302")
    """PCI classes that become labels; 0300 and 0302 are GPUs, 02xx network cards."""
    label_fields: Annotated[tuple[DeviceLabelField, ...], Field(min_length=1)] = ("vendor",)
    """What a PCI label is made of: `[vendor]` gives `pci-10de.present`, `[class, vendor]` `pci-0302_10de.present`."""
    chart: str = ""
    """Where its chart comes from: a path, `https://…` of a repository, `oci://…`. Empty: `charts.mirror`, or the
    official one. A relative path starts at the environment file's folder."""
    charts: ChartSources | None = None
    """Mirror and image registry; the file's `charts` block unless the stack has its own."""
    values: Mapping[str, Any] = Field(default_factory=dict)
    """Further values of the chart, merged over those made from the fields above."""
    limit: Limit = 600
    """How long its workers may take to be ready."""


class NfdInstall(Outputs):
    """Node Feature Discovery, installed in a cluster."""

    namespace: Input[str]
    version: Input[str]
    gpu_label: Input[str]
    """Label of a node with an NVIDIA GPU of class 0302: `feature.node.kubernetes.io/pci-10de.present`."""
