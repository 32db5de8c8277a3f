"""Preflights of cards: there, passed through, labelled, of mixed sizes, with ECC.

Each test breaks one thing of a good world and reads the sentence: what was read | needed | way out | source.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiinfra.domains.vsphere.reading.observed import VmOnHost
from tests.unit.vsphere.conftest import card
from tests.unit.vsphere.worlds import (
    MIG,
    NO,
    ON,
    PASSED,
    PASSTHROUGH,
    STATIC,
    VGPU,
    Break,
    changed,
    one,
    passed,
    shared,
    silent,
    through,
    told,
    world,
)

BREAKS: dict[str, Break] = {
    "cards cannot be read": (
        lambda: world(shared(cards=(), unread={"cards": NO})),
        MIG,
        "unknown esx-01: no permission System.Read | the cards that it has, and what they serve | "
        "read it on the host, or let the account read it | vSphere Web Services API 8.0.3: "
        "HostPciDevice",
    ),
    "what cards serve cannot be read": (
        lambda: world(silent("profiles")),
        VGPU,
        "unknown esx-01: no permission System.Read | the cards that it has, and what they serve | see "
        "its vGPU profiles in vCenter | vSphere Web Services API 8.0.3: HostPciDevice",
    ),
    "a card that the host has not": (
        lambda: world(passed()),
        changed(STATIC, gpu={"pci_ids": ["0000:3b:00.0", "0000:99:00.0"]}),
        "error esx-01: no NVIDIA card 0000:99:00.0; it has 0000:3b:00.0 | 0000:99:00.0 | name a card "
        "that it has | vSphere Web Services API 8.0.3: HostPciDevice",
    ),
    "no such card": (
        lambda: world(passed()),
        changed(PASSTHROUGH, gpu={"model": "L40S"}),
        "error cluster gpu: no such card; its hosts have NVIDIA A100-PCIE-40GB | L40S | name a GPU "
        "that the hosts have | vSphere Web Services API 8.0.3: HostPciDevice",
    ),
    "passthrough enabled and not active": (
        lambda: world(through(active=False)),
        PASSTHROUGH,
        "error esx-01 0000:3b:00.0: enabled and not active: a reboot is pending | passthrough on | "
        "reboot esx-01 | vSphere Web Services API 8.0.3: HostPciPassthruInfo",
    ),
    "passthrough off": (
        lambda: world(through(enabled=False, active=False)),
        PASSTHROUGH,
        "error esx-01 0000:3b:00.0: off | passthrough on | switch passthrough on for it in the host's "
        "PCI devices, or set manage_hosts: true | vSphere Web Services API 8.0.3: HostPciPassthruInfo",
    ),
    "passthrough off, that we may set": (
        lambda: world(through(enabled=False, active=False)),
        changed(PASSTHROUGH, manage_hosts=True),
        "warning esx-01 0000:3b:00.0: off | passthrough on | `up` sets it, as manage_hosts allows | "
        "vSphere Web Services API 8.0.3: HostPciPassthruInfo",
    ),
    "cannot be passed through": (
        lambda: world(through(capable=False, enabled=False, active=False)),
        STATIC,
        "error esx-01 0000:3b:00.0: cannot be passed through | passthrough on | switch VT-d or AMD-Vi "
        "on in the server's BIOS | vSphere Web Services API 8.0.3: HostPciPassthruInfo",
    ),
    "passthrough cannot be read": (
        lambda: world(passed(cards=(card(graphics_type=None),), unread={"passthrough": NO})),
        STATIC,
        "unknown esx-01 0000:3b:00.0: no permission System.Read | passthrough on | read it on the "
        "host, or let the account read it | vSphere Web Services API 8.0.3: HostPciPassthruInfo",
    ),
    "no hardware label": (
        lambda: world(through(label="")),
        PASSTHROUGH,
        "error esx-01 0000:3b:00.0: no label | label gpu-a100 | set the hardware label of the device, "
        "or set manage_hosts: true | vSphere Web Services API 8.0.3: "
        "VirtualPCIPassthroughDynamicBackingInfo.customLabel",
    ),
    "another hardware label beside a good host": (
        lambda: world(
            passed(), passed("esx-02", cards=(card(graphics_type=None, passthrough=replace(PASSED, label="other")),))
        ),
        PASSTHROUGH,
        "warning esx-02 0000:3b:00.0: label other | label gpu-a100 | set the hardware label of the "
        "device, or set manage_hosts: true | vSphere Web Services API 8.0.3: "
        "VirtualPCIPassthroughDynamicBackingInfo.customLabel",
    ),
    "hardware label that we may set": (
        lambda: world(through(label="other")),
        changed(PASSTHROUGH, manage_hosts=True),
        "warning esx-01 0000:3b:00.0: label other | label gpu-a100 | `up` sets it, as manage_hosts "
        "allows | vSphere Web Services API 8.0.3: VirtualPCIPassthroughDynamicBackingInfo.customLabel",
    ),
    "hardware label cannot be read": (
        lambda: world(passed(cards=(card(graphics_type=None),), unread={"passthrough": NO})),
        PASSTHROUGH,
        "unknown esx-01 0000:3b:00.0: no permission System.Read | label gpu-a100 | read it on the "
        "host, or let the account read it | vSphere Web Services API 8.0.3: "
        "VirtualPCIPassthroughDynamicBackingInfo.customLabel",
    ),
    "mixed sizes not told": (
        lambda: world(one(vgpu_mode=None)),
        VGPU,
        "note esx-01 0000:3b:00.0: not told by this vCenter | told, as one size only fits on a "
        "card without mixed sizes | expect one size for each card; vCenter 8.0 Update 3 tells it | "
        "vSphere Web Services API 8.0.3: HostGraphicsInfo.vgpuMode",
    ),
    "another size runs on a card of one size": (
        lambda: world(
            shared(
                cards=(card("0000:3b:00.0", passthrough=ON, vms=("user-vm",)),),
                vms=(VmOnHost("user-vm", ("grid_a100-20c",)),),
            )
        ),
        VGPU,
        "warning esx-01 0000:3b:00.0: one size for each card, and it runs vGPUs of 20 GB | 40 GB | switch mixed-size "
        "mode on, or name a profile of that size | vSphere Web Services API 8.0.3: HostGraphicsInfo.vgpuMode",
    ),
    "ECC": (
        world,
        VGPU,
        "note esx-01: no vSphere API tells the ECC mode | ECC as you want it | run on the host:\n  "
        "nvidia-smi --query-gpu=ecc.mode.current --format=csv | NVIDIA AI Enterprise user guide, ECC "
        "memory",
    ),
}


@pytest.mark.parametrize("phrase", BREAKS)
def test_one_thing_is_broken(phrase: str) -> None:
    broken, wanted, says = BREAKS[phrase]
    assert says in told(broken(), wanted)
