"""Preflights of what could start now: profiles, device groups, room.

Each test breaks one thing of a good world and reads the sentence: what was read | needed | way out | source.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiinfra.domains.vsphere.reading.observed import Host, VmOnHost
from tests.unit.vsphere.conftest import card
from tests.unit.vsphere.worlds import (
    BY_MODEL,
    GROUP,
    MIG,
    NO,
    ON,
    PASSED,
    PASSTHROUGH,
    STATIC,
    VGPU,
    Break,
    changed,
    passed,
    shared,
    silent,
    told,
    world,
)

FULL = (
    "error cluster gpu: grid_a100-3-20c is listed by esx-01 and cannot be started: no card has room for it in its mode | "
    "a profile that can be started now | free a card, or name a profile that can be started: aiinfra doctor ENV lists them | "
    "vSphere Web Services API 8.0.3: HostConfigInfo.sharedPassthruGpuTypes"
)


def full(mode: str | None) -> Host:
    """A host whose card is in MIG mode and used up."""
    vms = (VmOnHost("a", ("grid_a100-3-20c",)), VmOnHost("b", ("grid_a100-3-20c",)))
    return shared(cards=(card(passthrough=ON, vgpu_mode=mode, vms=("a", "b")),), startable=(), vms=vms)


BREAKS: dict[str, Break] = {
    "static passthrough": (
        lambda: world(passed()),
        STATIC,
        "note cluster gpu: static passthrough: every VM runs on esx-01 and nowhere else | a VM "
        "that placement may put anywhere, for machine sets of more than one machine | use gpu.mode: "
        "passthrough, which finds a host with such cards free | vSphere Web Services API 8.0.3: "
        "VirtualPCIPassthroughDeviceBackingInfo",
    ),
    "a profile that no host lists": (
        world,
        changed(VGPU, gpu={"profile": "grid_a100-41c"}),
        "error cluster gpu: no host lists the vGPU profile grid_a100-41c | a profile that can be "
        "started now | did you mean grid_a100-4c? | vSphere Web Services API 8.0.3: "
        "HostConfigInfo.sharedPassthruGpuTypes",
    ),
    "a profile of the other sharing": (
        world,
        changed(VGPU, gpu={"profile": "grid_a100-3-20c"}),
        "error cluster gpu: profile grid_a100-3-20c is MIG-backed, not time-sliced | a profile that "
        "can be started now | set gpu.mode: mig, or name another profile | vSphere Web Services API "
        "8.0.3: HostConfigInfo.sharedPassthruGpuTypes",
    ),
    "profiles before a reboot": (
        lambda: world(shared(startable=(), profiles=(), reboot_required=True)),
        BY_MODEL,
        "error cluster gpu: no host lists a vGPU profile of A100-PCIe-40GB; a reboot is pending on esx-01 | a profile "
        "that can be started now | reboot esx-01: what was set on hosts takes effect then | vSphere Web Services API "
        "8.0.3: HostConfigInfo.sharedPassthruGpuTypes",
    ),
    "full cards in MIG mode": (
        lambda: world(full("multiInstanceGpu")),
        MIG,
        FULL,
    ),
    "full cards in MIG mode, as their VMs show": (
        lambda: world(full(None)),
        MIG,
        FULL,
    ),
    "a profile that cannot be started": (
        lambda: world(shared(startable=("grid_a100-10c",))),
        VGPU,
        "error cluster gpu: grid_a100-40c is listed by esx-01 and cannot be started: no card has room "
        "for it in its mode | a profile that can be started now | free a card, or "
        "name a profile that can be started: aiinfra doctor ENV lists them | vSphere Web Services "
        "API 8.0.3: HostConfigInfo.sharedPassthruGpuTypes",
    ),
    "a profile that one host cannot start": (
        lambda: world(shared(), shared("esx-02", startable=("grid_a100-10c", "grid_a100-5c"))),
        VGPU,
        "note esx-02: can start grid_a100-5c, grid_a100-10c | grid_a100-40c among those that it "
        "can start now |  | vSphere Web Services API 8.0.3: HostConfigInfo.sharedPassthruGpuTypes",
    ),
    "what can be started cannot be read": (
        lambda: world(silent("startable")),
        VGPU,
        "unknown cluster gpu: no host says that it can start grid_a100-40c; esx-01 did not tell | a "
        "profile that can be started now | see its vGPU profiles in vCenter | vSphere Web Services "
        "API 8.0.3: HostConfigInfo.sharedPassthruGpuTypes",
    ),
    "MIG profile while MIG is off": (
        world,
        MIG,
        "error cluster gpu: grid_a100-3-20c is listed by esx-01 and cannot be started: MIG mode is "
        "off on their free cards | a profile that can be started now | switch MIG on in the host's "
        "shell: aiinfra doctor ENV shows how | vSphere Web Services API 8.0.3: "
        "HostConfigInfo.sharedPassthruGpuTypes",
    ),
    "a device group that no host lists": (
        world,
        GROUP,
        "error cluster gpu: listed by no host | device group Nvidia:2@grid_a100-40c%NVLink | the "
        "hosts list: no device group | vSphere Web Services API 8.0.3: "
        "ConfigTarget.vendorDeviceGroupInfo",
    ),
    "a device group, not read": (
        lambda: world(silent("groups")),
        GROUP,
        "unknown cluster gpu: listed by no host; esx-01 did not tell | device group "
        "Nvidia:2@grid_a100-40c%NVLink | see the device groups of the hosts in vCenter | vSphere Web "
        "Services API 8.0.3: ConfigTarget.vendorDeviceGroupInfo",
    ),
    "capacity of the cluster": (
        lambda: world(shared(cards=(card(passthrough=ON, vms=("vm",)),), vms=(VmOnHost("vm", ("grid_a100-40c",)),))),
        changed(VGPU, verify="power_on"),
        "error cluster gpu: 0 more VMs in total | room for a VM of one GPU and 64 GiB | free cards or "
        "memory, or ask less for each VM | NVIDIA/gpu-operator default-vgpu-devices-config; NVIDIA "
        "MIG user guide",
    ),
    "capacity before a reboot": (
        lambda: world(passed(cards=(card(passthrough=replace(PASSED, active=False)),), reboot_required=True)),
        changed(PASSTHROUGH, verify="power_on"),
        "error cluster gpu: 0 more VMs in total; a reboot is pending on esx-01 | room for a VM of one GPU and 64 GiB | "
        "reboot esx-01: what was set on hosts takes effect then | NVIDIA/gpu-operator default-vgpu-devices-config; "
        "NVIDIA MIG user guide",
    ),
    "capacity before a reboot, with one of another card waiting too": (
        lambda: world(
            passed(cards=(card(passthrough=replace(PASSED, active=False)),), reboot_required=True),
            shared("esx-02", cards=(card(device_id=0x26B9),), reboot_required=True),
        ),
        changed(PASSTHROUGH, verify="power_on"),
        "error cluster gpu: 0 more VMs in total; a reboot is pending on esx-01 | room for a VM of one GPU and 64 GiB | "
        "reboot esx-01: what was set on hosts takes effect then | NVIDIA/gpu-operator default-vgpu-devices-config; "
        "NVIDIA MIG user guide",
    ),
    "capacity of one host": (
        lambda: world(
            shared(),
            shared("esx-02", cards=(card(passthrough=ON, vms=("vm",)),), vms=(VmOnHost("vm", ("grid_a100-40c",)),)),
        ),
        VGPU,
        "note esx-02: no room: grid_a100-40c: 0 free, a VM takes 1 | room for a VM of one GPU and "
        "64 GiB |  | NVIDIA/gpu-operator "
        "default-vgpu-devices-config; NVIDIA MIG user guide",
    ),
    "capacity, memory": (
        lambda: world(shared(memory_free_mib=32768)),
        VGPU,
        "warning esx-01: no room: 32 GiB of memory are free, a VM reserves 64 | room for a VM of one "
        "GPU and 64 GiB | free a card, or expect no VM there | NVIDIA/gpu-operator "
        "default-vgpu-devices-config; NVIDIA MIG user guide",
    ),
    "capacity, held by VMs that are not shown": (
        lambda: world(shared(unread={"vms": "GPUs of it are held by 1 VM that the account may not read"})),
        VGPU,
        "unknown esx-01: GPUs of it are held by 1 VM that the account may not read | room for a VM of "
        "one GPU and 64 GiB | see its VMs and its vGPU profiles in vCenter | NVIDIA/gpu-operator "
        "default-vgpu-devices-config; NVIDIA MIG user guide",
    ),
    "capacity, memory cannot be read": (
        lambda: world(shared(unread={"memory": NO})),
        VGPU,
        "unknown esx-01: its memory: no permission System.Read | room for a VM of one GPU and 64 GiB "
        "| see its VMs and its vGPU profiles in vCenter | NVIDIA/gpu-operator "
        "default-vgpu-devices-config; NVIDIA MIG user guide",
    ),
    "capacity of a named card": (
        lambda: world(passed(vms=(VmOnHost("vm", passthrough=("0000:3b:00.0",)),))),
        STATIC,
        "warning esx-01: no room: cards to pass through: 0 free, a VM takes 1 | room for a VM of one "
        "GPU and 64 GiB | free a card, or expect no VM there | NVIDIA/gpu-operator "
        "default-vgpu-devices-config; NVIDIA MIG user guide",
    ),
}


@pytest.mark.parametrize("phrase", BREAKS)
def test_one_thing_is_broken(phrase: str) -> None:
    broken, wanted, says = BREAKS[phrase]
    assert says in told(broken(), wanted)
