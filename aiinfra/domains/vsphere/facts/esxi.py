"""What GPUs in VMs need of ESXi and of NVIDIA's driver in it. Hardware versions: Broadcom KB 1003746 (315655)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiinfra.dataclass import dataclass

Version = tuple[int, ...]
KB_HARDWARE: Final = "Broadcom KB 315655"


def version(text: str) -> Version:
    """Return `8.0.3` as numbers. Raises `ValueError` for anything else."""
    return tuple(int(part) for part in text.split("."))


FLOOR: Final[Version] = (7, 0, 0)
"""Dynamic DirectPath I/O, hardware version 17: vmware-tanzu/vm-operator `pkg/constants/constants.go`."""
HARDWARE: Final[Mapping[int, Version]] = MappingProxyType(
    {17: (7, 0, 0), 18: (7, 0, 1), 19: (7, 0, 2), 20: (8, 0, 0), 21: (8, 0, 2), 22: (9, 0, 0)}
)
"""The first ESXi of each virtual hardware version."""
LABELS: Final[Version] = (7, 0, 2)
"""`hardwareLabel` of a passthrough device: vSphere Web Services API, `HostPciPassthruInfo`."""
DEVICE_GROUPS: Final[Version] = (8, 0, 0)
"""`vendorDeviceGroupInfo`: vSphere Web Services API, `ConfigTarget`."""


@dataclass(frozen=True, slots=True)
class VgpuBranch:
    """A branch of NVIDIA's vGPU software, by the driver's branch."""

    driver: int
    """580 of `580.65.05`."""
    release: int
    """19 of vGPU 19.0."""
    long_term: bool = False


BRANCHES: Final = (
    VgpuBranch(470, 13, long_term=True),
    VgpuBranch(510, 14),
    VgpuBranch(525, 15),
    VgpuBranch(535, 16, long_term=True),
    VgpuBranch(550, 17),
    VgpuBranch(570, 18),
    VgpuBranch(580, 19, long_term=True),
)
"""NVIDIA vGPU software documentation, release branches."""


def branch(driver: str) -> VgpuBranch | None:
    """Return the branch of a driver's version; None for one that is not in the table."""
    number = driver.partition(".")[0]
    return next((known for known in BRANCHES if number == str(known.driver)), None)


def fits(manager: str, guest: str) -> bool | None:
    """Whether a guest driver works under a vGPU manager; None when a branch is unknown.

    The same branch does, and the branch or long-term branch before the manager's.
    """
    host, inside = branch(manager), branch(guest)
    if host is None or inside is None:
        return None
    earlier = [known for known in BRANCHES if known.release < host.release]
    long_term = [known for known in earlier if known.long_term]
    return inside in (host, *earlier[-1:], *(long_term[-1:] if host.long_term else ()))


@dataclass(frozen=True, slots=True)
class GpuNeed:
    """What a GPU model needs of the hypervisor's driver."""

    driver: str
    """The first branch that supports it: `525`. vGPU managers and guest drivers of one release count apart in it."""
    source: str


GPU_NEEDS: Final[Mapping[str, GpuNeed]] = MappingProxyType(
    {
        "H100-PCIe-80GB": GpuNeed("525", "NVIDIA AI Enterprise 3.0 release notes: vGPU 15.0 supports H100"),
        "B200": GpuNeed("570", "NVIDIA GPU Operator, platform support: 570.133.20"),
        "RTX-PRO-6000-Blackwell-Server": GpuNeed(
            "580", "NVIDIA GPU Operator, platform support: 575.57.08, and no vGPU branch lies between 570 and 580"
        ),
    }
)
"""Needs by the name in `aiinfra.facts.gpus`, as public documents state them; other models have no known need."""
