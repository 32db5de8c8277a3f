"""A good world: one cluster of two hosts, each with two A100s that serve vGPUs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aiinfra.domains.vsphere.reading.observed import (
    Card,
    Cluster,
    Datastore,
    Host,
    Pool,
    Site,
    Source,
    VgpuProfile,
    Vib,
)

A100 = 0x20F110DE
TIME_SLICED = (4, 5, 8, 10, 20, 40)
MIG = {"1-5c": 5, "1-5cme": 5, "1-10c": 10, "2-10c": 10, "3-20c": 20, "4-20c": 20, "7-40c": 40}
PROFILES = (
    *(VgpuProfile(f"grid_a100-{size}c", A100, size, "timeSliced", "compute") for size in TIME_SLICED),
    *(VgpuProfile(f"grid_a100-{name}", A100, size, "mig", "compute") for name, size in MIG.items()),
)
STARTABLE = tuple(profile.name for profile in PROFILES if profile.sharing == "timeSliced")
MIG_STARTABLE = tuple(profile.name for profile in PROFILES if profile.sharing == "mig")


def card(pci_id: str = "0000:3b:00.0", **changes: Any) -> Card:
    made = Card(
        pci_id=pci_id,
        name="NVIDIA A100-PCIE-40GB",
        vendor_id=0x10DE,
        device_id=0x20F1,
        memory_mib=40960,
        graphics_type="sharedDirect",
        vgpu_mode="sameSize",
    )
    return replace(made, **changes)


def host(name: str = "esx-01", **changes: Any) -> Host:
    made = Host(
        moref=f"host-{name}",
        path=f"/dc1/host/gpu/{name}",
        name=name,
        cluster="/dc1/host/gpu",
        connected=True,
        maintenance=False,
        version="8.0.3",
        build="24022510",
        api_version="8.0.3.0",
        license_edition="VMware vSphere 8 Enterprise Plus",
        default_graphics_type="sharedDirect",
        assignment_policy="performance",
        cards=(card("0000:3b:00.0"), card("0000:af:00.0")),
        startable=STARTABLE,
        profiles=PROFILES,
        dynamic=(),
        static=(),
        groups=(),
        vibs=(Vib("NVD-AIE_ESXi_8.0.0_Driver", "580.65.05-1OEM.800.1.0.20613240", "NVD"),),
        dns=("10.0.0.53",),
        ntp=("10.0.0.123",),
        ntp_running=True,
        reboot_required=False,
        memory_mib=1024 * 1024,
        memory_free_mib=900 * 1024,
        datastores=("datastore-1",),
    )
    return replace(made, **changes)


def site(*hosts: Host, **changes: Any) -> Site:
    made = Site(
        vcenter="vc.dc1.example",
        instance_uuid="3f9a1c07",
        version="8.0.3",
        api_version="8.0.3.0",
        cluster=Cluster("domain-c1", "/dc1/host/gpu", "gpu", True, "fullyAutomated", {}, hosts),
        datastore=Datastore("datastore-1", "/dc1/datastore/ssd", "ssd", 4 << 20, 2 << 20, True),
        folder="/dc1/vm/templates",
        source=Source("vm-1", "/dc1/vm/templates/rhcos", True, False, 15, "rhel9_64Guest", "efi", False, (16384,), 0),
        resource_pool=Pool("resgroup-1", "/dc1/host/gpu/Resources"),
        missing_privileges=(),
        settings={"vgpu.hotmigrate.enabled": "true"},
    )
    return replace(made, **changes)


@pytest.fixture
def good() -> Site:
    return site(host("esx-01"), host("esx-02"))
