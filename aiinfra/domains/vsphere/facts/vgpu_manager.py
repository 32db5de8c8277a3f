"""NVIDIA's packages on an ESXi host: which of them is the vGPU manager, and what its name and version mean.

Vendor `NVD` since vGPU 15, `NVIDIA` before: `esxcli software vib install` answers `NVD_bootbank_NVD-VMware_ESXi_8.0.0_
Driver_535.247.02-1OEM.800.1.0.20613240` and `NVIDIA_bootbank_NVIDIA-AIE_ESXi_7.0.2_Driver_510.47.03-1OEM.702.…`. Beside
the manager stands NVIDIA's management daemon, `NVD_bootbank_nvdgpumgmtdaemon_525.147.01-1OEM.700.1.0.15843807`.
"""

from __future__ import annotations

import re
from typing import Final

SOURCE: Final = "NVIDIA vGPU release notes for VMware vSphere, compatibility requirements"
_MANAGERS: Final = ("nvd-", "nvidia-")
_DRIVER: Final = re.compile(r"\d{3}\.\d+(\.\d+)?")
_NAMED: Final = re.compile(r"_ESXi_(\d+)\.(\d+)", re.IGNORECASE)
_BUILT: Final = re.compile(r"-\d+OEM\.(\d)(\d)\d\.")


def is_nvidias(vendor: str) -> bool:
    return vendor.lower() == "nvd" or "nvidia" in vendor.lower()


def is_manager(name: str) -> bool:
    """Whether a package of NVIDIA is the vGPU manager: network drivers and the daemon have other names."""
    return name.lower().startswith(_MANAGERS)


def driver_of(name: str, version: str) -> str:
    """Return the driver's version; empty when neither shows one."""
    found = _DRIVER.search(version) or _DRIVER.search(name)
    return found[0] if found else ""


def made_for(name: str, version: str) -> tuple[int, int] | None:
    """Return the release of ESXi that it is made for: `(8, 0)`; None when neither shows one."""
    found = _NAMED.search(name) or _BUILT.search(version)
    return (int(found[1]), int(found[2])) if found else None
