"""What a template will ask of the hosts, as far as the file says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aiinfra.domains.vsphere.hosts.profiles import WantedProfile
from aiinfra.facts.gpus import Gpu

Mode = Literal["vgpu", "mig", "passthrough", "static_passthrough", "device_group"]


@dataclass(frozen=True, slots=True)
class WantedVm:
    """One VM cloned from the template, and how the hosts may be treated."""

    mode: Mode
    count: int
    """Devices in the VM."""
    memory_mib: int
    hardware_version: int
    profile: WantedProfile | None = None
    """For `vgpu` and `mig`."""
    gpu: Gpu | None = None
    """For `passthrough`."""
    label: str = ""
    host: str = ""
    """For `static_passthrough`."""
    pci_ids: tuple[str, ...] = ()
    group: str = ""
    """For `device_group`."""
    guest_driver: str = ""
    """Version of the driver in the guest; empty: not told."""
    manage_hosts: bool = False
    wait_for_mig: bool = False
    """Whether `up` waits until somebody has switched MIG mode."""
    source: str = ""
    """Inventory path of what is cloned; empty for an OVA."""
    power_on: bool = False
    """Whether a VM of it is started to prove that it can be."""

    @property
    def shares_cards(self) -> bool:
        """Needs the vGPU manager on the hosts."""
        return self.mode in ("vgpu", "mig", "device_group")

    @property
    def passes_cards_through(self) -> bool:
        return self.mode in ("passthrough", "static_passthrough")
