"""NVIDIA's packages on a host, by names and versions that installers have shown."""

from __future__ import annotations

import pytest

from aiinfra.domains.vsphere.facts.vgpu_manager import driver_of, is_manager, is_nvidias, made_for


@pytest.mark.parametrize(
    ("name", "version", "manager", "driver", "release"),
    [
        ("NVD-VMware_ESXi_8.0.0_Driver", "535.247.02-1OEM.800.1.0.20613240", True, "535.247.02", (8, 0)),
        ("NVD-AIE_ESXi_8.0.0_Driver", "525.105.14-1OEM.800.1.0.20613240", True, "525.105.14", (8, 0)),
        ("NVIDIA-AIE_ESXi_7.0.2_Driver", "510.47.03-1OEM.702.0.0.17630552", True, "510.47.03", (7, 0)),
        ("NVD-VGPU", "535.104.06-1OEM.800.1.0.20613240", True, "535.104.06", (8, 0)),
        ("nvdgpumgmtdaemon", "525.147.01-1OEM.700.1.0.15843807", False, "525.147.01", (7, 0)),
        ("nmlx5-core", "4.23.6.2-4OEM.801", False, "", None),
        ("NVIDIA-something", "1.0", True, "", None),
    ],
)
def test_a_package(name: str, version: str, manager: bool, driver: str, release: tuple[int, int] | None) -> None:
    assert is_manager(name) is manager
    assert driver_of(name, version) == driver
    assert made_for(name, version) == release


def test_vendors() -> None:
    assert [is_nvidias(vendor) for vendor in ("NVD", "NVIDIA", "NVIDIA Corporation", "MEL", "VMware", "")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
