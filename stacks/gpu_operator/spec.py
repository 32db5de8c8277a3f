"""NVIDIA's GPU Operator: drivers, container toolkit, device plugin and monitoring on GPU nodes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.kubernetes.charts.block import ChartSources
from aiinfra.domains.kubernetes.fields import GPU_TAINT, KubernetesName, Toleration
from aiinfra.model.units import Limit
from aiinfra.stack import Input, Inputs, Linked, Outputs
from stacks.nfd.spec import NfdInstall


class Driver(Inputs):
    """The driver on the nodes. An empty field means what this version of the operator ships."""

    enabled: bool = True
    """False when the node's image brings the driver."""
    version: str = ""
    """`580.105.08`, without the suffix of an OS; the branch alone with `precompiled`."""
    repository: str = ""
    image: str = ""
    kernel_module_type: Literal["auto", "open", "proprietary"] = "auto"
    """`auto` leaves it to drivers from 570.86.15 on. Blackwell and GH200 want `open`, Volta and older `proprietary`."""
    precompiled: bool = False
    """Take an image with modules built for the kernel, instead of compiling on the node."""
    pull_secrets: tuple[KubernetesName, ...] = ()
    """Names of Secrets in the operator's namespace."""


class Toolkit(Inputs):
    """The container toolkit."""

    enabled: bool = True
    """False when the node's image brings it."""
    install_dir: str = ""


class Mig(Inputs):
    """How the device plugin names MIG devices."""

    strategy: Literal["none", "single", "mixed"] = "single"
    """`single`: as `nvidia.com/gpu`; `mixed`: as `nvidia.com/mig-…`, for unlike geometries."""


class TimeSlicing(Inputs):
    """Several pods take turns on one GPU, without isolation of memory."""

    replicas: Annotated[int, Field(ge=2)]
    """Pods per GPU; the device plugin refuses 1."""
    rename: bool = False
    """Offer `nvidia.com/gpu.shared` instead of `nvidia.com/gpu`."""
    fail_requests_greater_than_one: bool = False
    """Refuse a pod that asks for more than one slice, as two slices may be of the same GPU."""


class Sharing(Inputs):
    """How one GPU serves several pods."""

    time_slicing: TimeSlicing | None = None


class Monitoring(Inputs):
    """Metrics of the GPUs by DCGM."""

    enabled: bool = True
    service_monitor: bool = False
    """Make a ServiceMonitor; needs the Prometheus operator in the cluster."""


class GpuOperatorInputs(Inputs):
    cluster: Linked[ClusterAccess]
    """Where it goes: `${cluster}`."""
    nfd: Linked[NfdInstall] | Literal["bundled"]
    """Who labels the nodes: `${nfd}`, a stack of kind `nfd`, or `bundled`, the chart's own."""
    install: Literal["helm"] = "helm"
    """How it is installed."""
    version: str = "v26.7.0"
    """Version of the chart, with its leading v."""
    namespace: KubernetesName = "gpu-operator"
    driver: Driver = Driver()
    toolkit: Toolkit = Toolkit()
    mig: Mig = Mig()
    sharing: Sharing = Sharing()
    monitoring: Monitoring = Monitoring()
    tolerations: tuple[Toleration, ...] = (GPU_TAINT,)
    """Taints that the operands accept. A list given here replaces the default, the nvidia.com/gpu taint included."""
    chart: str = ""
    """Where its chart comes from: a path, `https://…` of a repository, `oci://…`. Empty: `charts.mirror`, or the
    official one. A relative path starts at the environment file's folder."""
    charts: ChartSources | None = None
    """Mirror and image registry; the file's `charts` block unless the stack has its own."""
    values: Mapping[str, Any] = Field(default_factory=dict)
    """Further values of the chart, merged over those made from the fields above."""
    limit: Limit = 2400
    """How long the operator may take to be ready; the driver is built on all nodes at once, in 10 to 20 minutes."""
    limit_per_node: Limit = 1200
    """Added to `limit` after a change, for each node or group of nodes whose driver is upgraded after others.

    How many go at a time is said by `driver.upgradePolicy` of the chart's values, one by default.
    """


class GpuOperatorInstall(Outputs):
    """The GPU Operator, installed in a cluster."""

    namespace: Input[str]
    version: Input[str]
    resource: Input[str]
    """What a pod asks for: `nvidia.com/gpu`, or `nvidia.com/gpu.shared`."""
    policy: Input[str]
    """Name of the ClusterPolicy."""
    resources: Input[list[str]]
    """All that its nodes may offer; with `mig.strategy: mixed` also `nvidia.com/mig-*`."""
    tolerations: Input[list[dict[str, Any]]]
    """Taints that its operands accept, as the API writes them: what runs on the same nodes needs them too."""
    image: Input[str]
    """The validator's image, which has a CUDA sample."""
    pull_secrets: Input[list[str]]
    """Names of the Secrets with which that image is pulled."""
