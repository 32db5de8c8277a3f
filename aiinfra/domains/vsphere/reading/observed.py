"""What was read of a vCenter, as values: the facts that preflights judge and that a placement is chosen from.

`None` means that a fact could not be read; `unread` of the same object says why, by the field's name. Nobody may take
`None` for an answer. Sizes are MiB unless the name says otherwise. Property paths are those of the vSphere Web Services
API 8.0.3 (`HostConfigInfo`, `ConfigTarget`, `ClusterConfigInfoEx`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Literal

from aiinfra.dataclass import dataclass

Sharing = Literal["timeSliced", "mig"]


@dataclass(frozen=True, slots=True)
class PassthroughState:
    """`config.pciPassthruInfo[]`. Enabled and not active: the host must be rebooted first."""

    capable: bool
    enabled: bool
    active: bool
    label: str = ""
    """Hardware label; empty when none is set, or before 7.0.2."""
    sriov_capable: bool | None = None
    """None: the API shows no SR-IOV state of this device."""
    sriov_enabled: bool | None = None
    sriov_active: bool | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One physical NVIDIA GPU of a host."""

    pci_id: str
    """`0000:3b:00.0`."""
    name: str
    """Name as the host reports it: `GA100 [A100 PCIe 40GB]`, `NVIDIA A100-PCIE-40GB`."""
    vendor_id: int
    """Unsigned, though the API gives a signed short: 0x10de."""
    device_id: int
    sub_vendor_id: int = 0
    sub_device_id: int = 0
    memory_mib: int | None = None
    graphics_type: str | None = None
    """`basic`, `shared`, `direct`, `sharedDirect`; None: the host lists it under no graphics device."""
    vgpu_mode: str | None = None
    """`none`, `sameSize`, `mixedSize`, `multiInstanceGpu`; None before API 8.0.3."""
    passthrough: PassthroughState | None = None
    vms: Sequence[str] = ()
    """Names of the powered-on VMs that use it as a graphics device."""

    @property
    def device_vendor_id(self) -> int:
        """Device and vendor as `vgpuProfileInfo` has them: device in the high 16 bits, vendor in the low ones."""
        return self.device_id << 16 | self.vendor_id


@dataclass(frozen=True, slots=True)
class VgpuProfile:
    """`vgpuProfileInfo[]`: a profile that the driver knows; MIG ones are listed also while MIG is off."""

    name: str
    device_vendor_id: int
    frame_buffer_gib: int
    sharing: Sharing
    kind: str
    """`compute` or `quadro`."""


@dataclass(frozen=True, slots=True)
class PassthroughChoice:
    """`dynamicPassthrough[]` of the ConfigTarget: a device that dynamic DirectPath I/O can give to a VM."""

    vendor_id: int
    device_id: int
    name: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class StaticChoice:
    """`pciPassthrough[]` of the ConfigTarget: what a VM that is pinned to this host needs to name."""

    pci_id: str
    system_id: str
    vendor_id: int
    device_id: int
    name: str


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """`vendorDeviceGroupInfo[]` (8.0): devices that are given as one, such as `Nvidia:2@grid_a100-40c%NVLink`."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Vib:
    name: str
    version: str
    vendor: str


@dataclass(frozen=True, slots=True)
class VmOnHost:
    """A powered-on VM that holds GPU devices of the host's cards."""

    name: str
    profiles: Sequence[str] = ()
    """vGPU profiles, one for each device."""
    passthrough: Sequence[str] = ()
    """PCI ids of devices that are passed through to it, where the API tells them."""


@dataclass(frozen=True, slots=True)
class Host:
    """One ESXi host."""

    moref: str
    path: str
    """Inventory path: `/DC/host/cluster/esx-01`."""
    name: str
    cluster: str
    """Inventory path of its cluster."""
    connected: bool
    maintenance: bool
    version: str | None = None
    """`8.0.3`."""
    build: str | None = None
    api_version: str | None = None
    license_edition: str | None = None
    """Name of the assigned license: `VMware vSphere 8 Enterprise Plus`."""
    default_graphics_type: str | None = None
    """`shared` or `sharedDirect`."""
    assignment_policy: str | None = None
    """`performance` or `consolidation`."""
    cards: Sequence[Card] = ()
    startable: Sequence[str] | None = None
    """`sharedPassthruGpuTypes`: vGPU profiles that can be started now."""
    profiles: Sequence[VgpuProfile] | None = None
    dynamic: Sequence[PassthroughChoice] | None = None
    static: Sequence[StaticChoice] | None = None
    groups: Sequence[DeviceGroup] | None = None
    vibs: Sequence[Vib] | None = None
    """NVIDIA's packages: the vGPU manager, and others beside it."""
    dns: Sequence[str] | None = None
    ntp: Sequence[str] | None = None
    ntp_running: bool | None = None
    vms: Sequence[VmOnHost] = ()
    memory_mib: int = 0
    memory_free_mib: int = 0
    """Memory that powered-on VMs have not reserved; 0 when `unread` has `memory`."""
    datastores: Sequence[str] = ()
    """Morefs of its datastores."""
    reboot_required: bool | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    """Reasons by field; also `graphics` and `passthrough` of cards, `memory`, and `vms` for unreadable ones."""


@dataclass(frozen=True, slots=True)
class Cluster:
    moref: str
    path: str
    name: str
    drs_enabled: bool | None
    drs_behavior: str | None
    """`manual`, `partiallyAutomated`, `fullyAutomated`."""
    drs_options: Mapping[str, str]
    """Advanced options, such as `VgpuMMAutomationTimeoutSecs`."""
    hosts: Sequence[Host] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Datastore:
    moref: str
    path: str
    name: str
    capacity_mib: int
    free_mib: int | None
    accessible: bool | None
    maintenance: bool = False
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A VM or template that templates are cloned from."""

    moref: str
    path: str
    is_template: bool
    powered_on: bool
    hardware_version: int | None
    """17 for `vmx-17`."""
    guest_id: str | None
    firmware: str | None
    secure_boot: bool
    disk_mib: Sequence[int] | None
    """Size of each disk."""
    snapshots: int
    connected: bool = True
    unread: Mapping[str, str] = field(default_factory=dict)


Role = Literal["source", "folder", "datastore", "resource_pool"]
"""Which object of a site a privilege is needed on."""


@dataclass(frozen=True, slots=True)
class NeededPrivilege:
    privilege: str
    """`VirtualMachine.Config.Resource`."""
    on: Role
    needed_for: str


@dataclass(frozen=True, slots=True)
class SiteQuestion:
    """Which site to read.

    Each part is a name, a path below its usual folder of the datacenter, or a whole inventory path.
    """

    datacenter: str
    cluster: str
    datastore: str
    folder: str = ""
    """Folder of VMs; empty: the datacenter's own."""
    source: str = ""
    """VM or template to clone; empty when an image is imported."""
    resource_pool: str = ""
    """Path below the cluster's own pool; empty: that one."""
    privileges: Sequence[NeededPrivilege] = ()


@dataclass(frozen=True, slots=True)
class MissingPrivilege:
    """`VirtualMachine.Config.Resource` on `/DC/vm/templates`."""

    privilege: str
    path: str
    needed_for: str


@dataclass(frozen=True, slots=True)
class Pool:
    """A resource pool."""

    moref: str
    path: str
    """`/DC/host/cluster/Resources/team-a`."""


@dataclass(frozen=True, slots=True)
class Site:
    """The cluster, datastore, folder and source for one failure domain, read at one moment."""

    vcenter: str
    """`vc.dc1.example`."""
    instance_uuid: str
    version: str
    api_version: str
    cluster: Cluster
    datastore: Datastore | None
    folder: str | None
    """Inventory path; None when it does not exist."""
    source: Source | None
    """The VM or template; None when it does not exist or is an OVA."""
    resource_pool: Pool | None
    """The pool that VMs are placed in; None when it does not exist."""
    missing_privileges: Sequence[MissingPrivilege] | None = None
    """What the account lacks; None when it could not be asked."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Advanced settings of the vCenter that were asked, such as `vgpu.hotmigrate.enabled`."""
    unread: Mapping[str, str] = field(default_factory=dict)
