"""What kinds need of simulated clusters, and what their software leaves in real ones. Pure values."""

from __future__ import annotations

from typing import Literal

from aiinfra.dataclass import dataclass
from aiinfra.facts.gpus import Gpu
from aiinfra.stack import StackName


@dataclass(frozen=True, slots=True)
class NodeTaint:
    key: str
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


@dataclass(frozen=True, slots=True)
class ClusterNeed:
    """Hardware that a stack asks of the cluster it runs on; a rehearsal provides it and says it is assumed."""

    cluster: StackName | None
    """The stack that provides the cluster, or None when it cannot be told."""
    gpu_model: str = ""
    gpu_nodes: int = 0
    gpus_per_node: int = 0
    slices: str = ""
    """The MIG profile that each GPU is cut into: `1g.5gb`; empty: whole GPUs."""
    host_driver: str = ""
    """Version of the driver that the image of the nodes brings, with the container toolkit; empty: none."""
    taints: tuple[NodeTaint, ...] = ()
    """Of the nodes with GPUs."""


@dataclass(frozen=True, slots=True)
class ExtendedResources:
    """Resources that nodes offer while a kind's software is there: who holds one loses it with the software."""

    patterns: tuple[str, ...]
    """Of their names, as a shell matches them: `nvidia.com/mig-*`."""


@dataclass(frozen=True, slots=True)
class DeviceDrivers:
    """Devices of nodes that pods hold by ResourceClaims, and that work by a kind's software alone."""

    names: tuple[str, ...]
    """Of the drivers that hand them out, as ResourceClaims name them: `gpu.nvidia.com`."""
    programs: tuple[tuple[str, str], ...]
    """Key and value of labels, one of which the software's pods bear that serve the devices of their node."""


@dataclass(frozen=True, slots=True)
class RealOperator:
    """An operator that a lab runs for real, in the place of its stand-in: it has one version."""

    cluster: StackName | None
    """The stack that provides the cluster; None when it runs in all of them."""
    chart: str
    """The name of its chart."""
    version: str
    """Of the chart."""


@dataclass(frozen=True, slots=True)
class NodeLeftovers:
    """What an operator writes on nodes and leaves there when it is uninstalled; a whole destroy removes it."""

    prefixes: tuple[str, ...]
    """Of the names of labels and annotations."""
    managers: tuple[str, ...]
    """Field managers of the operator's programs: what others set under the same prefixes stays."""
    definition: str
    """Name of a CustomResourceDefinition that the operator works by: while it stands, one may be at work."""


@dataclass(frozen=True, slots=True)
class NodePool:
    """Nodes that are alike, as the file's `lab:` describes them. Their GPUs decide on the driver that they can have."""

    cluster: StackName
    name: str
    """Of the group, below `lab.clusters.CLUSTER.nodes`."""
    gpu: Gpu | None
    """None for nodes without a GPU."""
    system: str
    """ID and VERSION_ID of os-release: `rhel9.6`."""
    kernel: str
    host_driver: str = ""
    vgpu: str = ""
