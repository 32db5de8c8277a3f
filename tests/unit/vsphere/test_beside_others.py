"""Stacks that share hosts: no hint for one takes from another the cards that serve it, and a good site has no warning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from aiinfra.domains.vsphere.checks import OtherStack, judge
from aiinfra.domains.vsphere.reading.observed import DeviceGroup, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from tests.unit.vsphere.conftest import MIG_STARTABLE, STARTABLE, card
from tests.unit.vsphere.worlds import GROUP, MIG, ON, PASSED, PASSTHROUGH, VGPU, changed, passed, shared, world

OFF, IN_MIG = "sameSize", "multiInstanceGpu"


def cards(*modes: str) -> Host:
    """A host whose cards have these modes; `passed` is passed through."""
    made = [
        card(f"0000:0{number}:00.0", graphics_type=None, passthrough=PASSED)
        if mode == "passed"
        else card(f"0000:0{number}:00.0", passthrough=ON, vgpu_mode=mode)
        for number, mode in enumerate(modes, 1)
    ]
    startable = (*(STARTABLE if OFF in modes else ()), *(MIG_STARTABLE if IN_MIG in modes else ()))
    return shared(cards=tuple(made), startable=startable)


def named(**hosts: Host) -> list[Host]:
    return [replace(host, name=name) for name, host in hosts.items()]


def told(hosts: Sequence[Host], spec: GpuTemplateSpec, *others: tuple[str, GpuTemplateSpec]) -> list[str]:
    """Warnings and errors, `level about: read → hint`, without those of the room for VMs."""
    found = judge(world(*hosts), spec, [OtherStack(*other) for other in others])
    return [
        f"{one.level} {one.about}: {one.read} → {one.hint}"
        for one in found
        if one.level in ("warning", "error", "unknown") and one.code not in ("vsphere.profile", "vsphere.capacity")
    ]


def test_a_site_on_which_two_stacks_have_a_host_each_has_no_warning() -> None:
    hosts = named(a=cards(OFF, OFF), b=cards(IN_MIG, IN_MIG))
    for spec, other, serves in ((VGPU, MIG, "a"), (MIG, VGPU, "b")):
        found = judge(world(*hosts), spec, [OtherStack("other", other)])
        assert {one.level for one in found} == {"ok", "note"}
        assert f"1 of 2 hosts qualifies: {serves}" in [one.read for one in found]
        modes = [one for one in found if one.code == "vsphere.mig" and one.level == "note"]
        assert [one.read.partition(";")[2] for one in modes] == [" it serves other"] * 2
        assert [one.hint for one in modes] == ["", ""]


def test_both_stacks_on_one_host_of_two_modes_have_no_warning() -> None:
    hosts = named(a=cards(OFF, IN_MIG))
    assert told(hosts, VGPU, ("mig", MIG)) == []
    assert told(hosts, MIG, ("vgpu", VGPU)) == []


def test_the_only_host_of_another_stack_is_switched_as_far_as_that_keeps_a_card() -> None:
    told_of = told(named(a=cards(OFF, OFF, OFF)), MIG, ("vgpu", VGPU))
    assert told_of[1] == ("error a 0000:01:00.0: MIG off → leave it, as it serves vgpu; change cards of a instead")
    assert told_of[2].startswith("error a 0000:02:00.0: MIG off → a: switch MIG mode in the host's shell\n")
    assert "nvidia-smi -i 00000000:02:00.0 -mig 1" in told_of[2]
    assert "nvidia-smi -i 00000000:03:00.0 -mig 1" in told_of[2]
    assert "00000000:01:00.0" not in told_of[2]
    assert told_of[3] == "error a 0000:03:00.0: MIG off → as for 0000:02:00.0"


def test_the_only_card_of_another_stack_is_never_switched() -> None:
    no_room = "add cards for it, or take a stack out of the file: the cards that are there serve vgpu"
    assert told(named(a=cards(OFF)), MIG, ("vgpu", VGPU)) == [
        "error cluster gpu: grid_a100-3-20c is listed by a and cannot be started: MIG mode is off on their free cards "
        f"→ {no_room}",
        f"error a 0000:01:00.0: MIG off → {no_room}",
    ]


def test_a_host_that_no_other_stack_uses_is_switched_whole_and_the_used_one_left() -> None:
    hosts = named(a=cards("passed"), b=cards(OFF, OFF))
    through = changed(PASSTHROUGH, gpu={"label": ""})
    hints = told(hosts, MIG, ("whole", through))
    assert any("nvidia-smi -i 00000000:01:00.0 -mig 1\n  nvidia-smi -i 00000000:02:00.0 -mig 1" in one for one in hints)
    [left] = [one for one in hints if one.startswith("error a: 0000:01:00.0 passed through")]
    assert left.endswith("→ leave it, as it serves whole; change cards of b instead")


def test_of_two_hosts_that_serve_another_stack_one_is_switched() -> None:
    hints = told(named(a=cards(OFF), b=cards(OFF)), MIG, ("vgpu", VGPU))
    assert sum("-mig 1" in one for one in hints) == 1
    assert "error b 0000:01:00.0: MIG off → leave it, as it serves vgpu; change cards of a instead" in hints


def test_passthrough_is_not_switched_on_for_a_card_that_serves_vgpus() -> None:
    through = changed(PASSTHROUGH, gpu={"label": ""})
    [one] = told(named(a=cards(OFF)), through, ("vgpu", VGPU))
    assert one == (
        "error a 0000:01:00.0: off → "
        "add cards for it, or take a stack out of the file: the cards that are there serve vgpu"
    )
    assert told(named(a=cards(OFF)), through) == [
        "error a 0000:01:00.0: off → switch passthrough on for it in the host's PCI devices, or set manage_hosts: true"
    ]


def test_a_label_that_another_stack_needs_is_not_replaced() -> None:
    theirs = changed(PASSTHROUGH, gpu={"label": "gpu-a100"})
    ours = changed(PASSTHROUGH, gpu={"label": "mine"})
    [one] = told([passed()], ours, ("theirs", theirs))
    assert one == (
        "error esx-01 0000:3b:00.0: label gpu-a100 → "
        "add cards for it, or take a stack out of the file: the cards that are there serve theirs"
    )


def test_aiinfra_itself_takes_no_card_from_another_stack() -> None:
    ours = changed(PASSTHROUGH, gpu={"label": ""}, manage_hosts=True)
    found = told(named(a=cards(OFF), b=cards("passed")), ours, ("vgpu", VGPU))
    assert found == [
        "error a: `up` would set 0000:01:00.0: passthrough on, and it serves vgpu → "
        "set manage_hosts: false, or tell the cards of both apart: by model, by cluster, by host"
    ]


def test_nobody_is_asked_to_switch_a_card_of_another_stack_while_up_waits() -> None:
    waiting = changed(MIG, wait_for_host_mig=True)
    alone = {one.code: one.level for one in judge(world(shared()), waiting) if one.code == "vsphere.mig"}
    assert alone == {"vsphere.mig": "warning"}
    beside = judge(world(shared()), waiting, [OtherStack("vgpu", VGPU)])
    assert {one.level for one in beside if one.code == "vsphere.mig"} == {"error"}


def test_cards_of_a_device_group_are_left_together() -> None:
    grouped = shared(cards=cards(OFF, OFF).cards, groups=(DeviceGroup("Nvidia:2@grid_a100-40c%NVLink"),))
    assert not any("-mig 1" in one for one in told([grouped], MIG, ("pairs", GROUP)))


@pytest.mark.parametrize("mode", [OFF, IN_MIG])
def test_a_host_that_nobody_needs_is_no_warning_beside_one_that_serves(mode: str) -> None:
    assert told(named(a=cards(OFF), b=cards(mode)), VGPU) == []
