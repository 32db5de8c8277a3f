"""ESXi releases and driver branches, as their publishers list them."""

from __future__ import annotations

import pytest

from aiinfra.domains.vsphere.facts.esxi import fits
from aiinfra.domains.vsphere.facts.esxi_releases import release_of


@pytest.mark.parametrize(
    ("version", "build", "name"),
    [
        ("7.0.3", "20328353", "7.0 Update 3g"),
        ("7.0.3", "20328354", "7.0 Update 3g or newer"),
        ("7.0.3", "24784741", "7.0 Update 3w"),
        ("8.0.3", "24022510", "8.0 Update 3"),
        ("8.0.3", "24280767", "8.0 Update 3b"),
        ("8.0.3", "25999999", "8.0 Update 3i or newer"),
        ("8.0.2", "22380480", "8.0 Update 2 or newer"),
        ("8.0.0", "24569005", "8.0e"),
        ("9.0.0", "24755229", "9.0.0.0"),
        ("9.1.1", "25714478", "9.1.1.0"),
        ("9.1.2", "26000000", ""),
        ("8.0.2", "1", ""),
        ("8.0.3", "custom", ""),
        ("eight", "24022510", ""),
    ],
)
def test_a_build_has_a_name(version: str, build: str, name: str) -> None:
    assert release_of(version, build) == name


@pytest.mark.parametrize(
    ("manager", "guest", "works"),
    [
        ("580.65.05", "580.65.06", True),
        ("580.65.05", "570.133.20", True),
        ("580.65.05", "535.230.02", True),
        ("580.65.05", "550.90.07", False),
        ("570.133.10", "550.90.07", True),
        ("570.133.10", "535.230.02", False),
        ("550.90.05", "570.133.20", False),
        ("999.1", "580.65.06", None),
    ],
)
def test_a_guest_driver_under_a_vgpu_manager(manager: str, guest: str, works: bool | None) -> None:
    assert fits(manager, guest) is works
