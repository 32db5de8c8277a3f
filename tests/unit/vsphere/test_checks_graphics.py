"""Preflights of hosts that share their cards: graphics type, SR-IOV.

Each test breaks one thing of a good world and reads the sentence: what was read | needed | way out | source.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.vsphere.conftest import card
from tests.unit.vsphere.worlds import NO, ON, VGPU, Break, changed, one, shared, silent, through, told, world

BREAKS: dict[str, Break] = {
    "graphics type of the host": (
        lambda: world(shared(default_graphics_type="shared")),
        VGPU,
        "error esx-01: host shared | sharedDirect | set SharedDirect and restart the host, or set "
        "manage_hosts: true | NVIDIA vGPU user guide, Changing the Default Graphics Type",
    ),
    "graphics type cannot be read": (
        lambda: world(silent("default_graphics_type")),
        VGPU,
        "unknown esx-01: no permission System.Read | sharedDirect | read it on the host, or let the "
        "account read it | NVIDIA vGPU user guide, Changing the Default Graphics Type",
    ),
    "graphics type of a card": (
        lambda: world(one(graphics_type="basic")),
        VGPU,
        "error esx-01: host sharedDirect, 0000:3b:00.0 basic | sharedDirect | set SharedDirect and "
        "restart the host, or set manage_hosts: true | NVIDIA vGPU user guide, Changing the Default "
        "Graphics Type",
    ),
    "graphics type of a card, that we may set": (
        lambda: world(one(graphics_type="shared")),
        changed(VGPU, manage_hosts=True),
        "warning esx-01: host sharedDirect, 0000:3b:00.0 shared | sharedDirect | `up` sets it, as "
        "manage_hosts allows | NVIDIA vGPU user guide, Changing the Default Graphics Type",
    ),
    "graphics type of a card, set and waiting for a reboot": (
        lambda: world(shared(cards=(card(passthrough=ON, graphics_type="shared"),), reboot_required=True)),
        changed(VGPU, manage_hosts=True),
        "error esx-01: host sharedDirect, 0000:3b:00.0 shared: a reboot is pending | sharedDirect | reboot esx-01 | "
        "NVIDIA vGPU user guide, Changing the Default Graphics Type",
    ),
    "graphics of cards cannot be read": (
        lambda: world(shared(cards=(card(passthrough=ON, graphics_type=None),), unread={"graphics": NO})),
        VGPU,
        "unknown esx-01: 0000:3b:00.0: no permission System.Read | sharedDirect | look at the host's "
        "graphics devices | NVIDIA vGPU user guide, Changing the Default Graphics Type",
    ),
    "a card that is passed through serves no vGPU": (
        lambda: world(through()),
        VGPU,
        "error esx-01: 0000:3b:00.0 passed through | a card that is sharedDirect | switch passthrough "
        "off for one, and reboot: a card that is passed through serves no vGPU | NVIDIA vGPU user "
        "guide, Changing the Default Graphics Type",
    ),
    "SR-IOV enabled and not active": (
        lambda: world(one(passthrough=replace(ON, sriov_active=False))),
        VGPU,
        "error esx-01 0000:3b:00.0: enabled and not active: a reboot is pending | SR-IOV on, for GPUs "
        "of Ampere and newer | reboot esx-01 | NVIDIA AI Enterprise user guide, prerequisites for "
        "vGPU",
    ),
    "SR-IOV off": (
        lambda: world(one(passthrough=replace(ON, sriov_enabled=False, sriov_active=False))),
        VGPU,
        "error esx-01 0000:3b:00.0: off | SR-IOV on, for GPUs of Ampere and newer | switch SR-IOV on "
        "in the server's BIOS and on the card | NVIDIA AI Enterprise user guide, prerequisites for "
        "vGPU",
    ),
    "SR-IOV off in the BIOS": (
        lambda: world(one(passthrough=replace(ON, sriov_capable=False))),
        VGPU,
        "error esx-01 0000:3b:00.0: the host shows the card without SR-IOV | SR-IOV on, for GPUs of "
        "Ampere and newer | switch SR-IOV on in the server's BIOS | NVIDIA AI Enterprise user guide, "
        "prerequisites for vGPU",
    ),
    "SR-IOV not told": (
        lambda: world(one(passthrough=None)),
        VGPU,
        "unknown esx-01 0000:3b:00.0: vCenter does not tell it | SR-IOV on, for GPUs of Ampere and "
        "newer | look at SR-IOV in the server's BIOS: the API does not show it for this card | NVIDIA "
        "AI Enterprise user guide, prerequisites for vGPU",
    ),
}


@pytest.mark.parametrize("phrase", BREAKS)
def test_one_thing_is_broken(phrase: str) -> None:
    broken, wanted, says = BREAKS[phrase]
    assert says in told(broken(), wanted)
