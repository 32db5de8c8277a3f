"""Preflights of NVIDIA's vGPU manager: is it there, for this ESXi, of a branch that guests and cards take.

Each test breaks one thing of a good world and reads the sentence: what was read | needed | way out | source.
"""

from __future__ import annotations

import pytest

from aiinfra.domains.vsphere.reading.observed import Vib
from tests.unit.vsphere.worlds import (
    BY_MODEL,
    ON_H100,
    VGPU,
    Break,
    changed,
    h100,
    managed,
    shared,
    silent,
    told,
    world,
)

BREAKS: dict[str, Break] = {
    "no VIB": (
        lambda: world(shared(vibs=())),
        VGPU,
        "error esx-01: no VIB of NVIDIA | NVIDIA's vGPU manager | install NVIDIA's vGPU manager VIB "
        "of the guests' branch, and reboot | NVIDIA vGPU release notes for VMware vSphere, "
        "compatibility requirements",
    ),
    "another VIB of NVIDIA": (
        lambda: world(managed("nvdgpumgmtdaemon", "580.65.05-1OEM.700.1.0.15843807")),
        VGPU,
        "error esx-01: none: of NVIDIA there is nvdgpumgmtdaemon 580.65.05-1OEM.700.1.0.15843807 | "
        "NVIDIA's vGPU manager | install NVIDIA's vGPU manager VIB of the guests' branch, and reboot "
        "| NVIDIA vGPU release notes for VMware vSphere, compatibility requirements",
    ),
    "VIBs cannot be read": (
        lambda: world(silent("vibs")),
        VGPU,
        "unknown esx-01: no permission System.Read | NVIDIA's vGPU manager | run on the host:\n  esxcli "
        "software vib list | NVIDIA vGPU release notes for VMware vSphere, compatibility requirements",
    ),
    "branch against the guest": (
        lambda: world(managed(version="550.54.16-1OEM.800.1.0.20613240")),
        VGPU,
        "error esx-01: NVD-AIE_ESXi_8.0.0_Driver 550.54.16 | a branch that takes guest driver "
        "580.65.06 | install a guest driver of the host's branch, or a vGPU manager of the guest's | "
        "NVIDIA vGPU release notes for VMware vSphere, compatibility requirements",
    ),
    "branch that the table has not": (
        lambda: world(managed(version="999.54-1OEM.800.1.0.20613240")),
        VGPU,
        "unknown esx-01: NVD-AIE_ESXi_8.0.0_Driver 999.54: a branch we do not know | a branch that "
        "takes guest driver 580.65.06 | compare them with NVIDIA's compatibility table | NVIDIA vGPU "
        "release notes for VMware vSphere, compatibility requirements",
    ),
    "guest's branch that the table has not": (
        world,
        changed(VGPU, guest_driver="999.1"),
        "unknown esx-01: NVD-AIE_ESXi_8.0.0_Driver 580.65.05: 999.1 is of a branch we do not know | a "
        "branch that takes guest driver 999.1 | compare them with NVIDIA's compatibility table | "
        "NVIDIA vGPU release notes for VMware vSphere, compatibility requirements",
    ),
    "a package for another ESXi": (
        lambda: world(managed("NVD-VMware_ESXi_7.0.2_Driver", "580.65.05-1OEM.702.0.0.17630552")),
        VGPU,
        "unknown esx-01: NVD-VMware_ESXi_7.0.2_Driver is made for ESXi 7.0, the host has 8.0.3 | a "
        "vGPU manager for the host's ESXi | see whether NVIDIA supports it there, or install the "
        "package of the host's release | NVIDIA vGPU release notes for VMware vSphere, compatibility "
        "requirements",
    ),
    "model that needs a branch": (
        lambda: world(h100(Vib("NVD-VGPU", "510.108.03-1OEM.702.0.0", "NVD"), version="7.0.3", build="20328353")),
        ON_H100,
        "error esx-01: 510.108.03 | a vGPU manager of branch 525 or newer for H100-PCIe-80GB | update "
        "the vGPU manager | NVIDIA AI Enterprise 3.0 release notes: vGPU 15.0 supports H100",
    ),
    "model, version not shown": (
        lambda: world(h100(Vib("NVD-VGPU", "1.0", "NVD"))),
        ON_H100,
        "unknown esx-01: 1.0 shows no driver | a vGPU manager of branch 525 or newer for "
        "H100-PCIe-80GB | run on the host:\n  esxcli software vib list | NVIDIA AI Enterprise 3.0 "
        "release notes: vGPU 15.0 supports H100",
    ),
    "model that no source tells, not listed": (
        lambda: world(shared(profiles=())),
        BY_MODEL,
        "unknown esx-01: 580.65.05 lists no profile of it | a vGPU manager that knows A100-PCIe-40GB "
        "| see in NVIDIA's release notes whether this branch supports the GPU | vSphere Web Services "
        "API 8.0.3: VirtualMachineVgpuProfileInfo",
    ),
    "model that no source tells, not read": (
        lambda: world(silent("profiles")),
        BY_MODEL,
        "unknown esx-01: no permission System.Read | a vGPU manager that knows A100-PCIe-40GB | see "
        "its vGPU profiles in vCenter | vSphere Web Services API 8.0.3: VirtualMachineVgpuProfileInfo",
    ),
}


@pytest.mark.parametrize("phrase", BREAKS)
def test_one_thing_is_broken(phrase: str) -> None:
    broken, wanted, says = BREAKS[phrase]
    assert says in told(broken(), wanted)
