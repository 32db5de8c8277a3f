"""What is shown to be done on hosts: by hand for MIG, by aiinfra for the rest when it may."""

from __future__ import annotations

from dataclasses import replace

from aiinfra.domains.vsphere.hosts.changes import changes
from aiinfra.domains.vsphere.hosts.mig_commands import bus_id, steps, steps_on
from aiinfra.domains.vsphere.reading.observed import PassthroughState, VmOnHost
from tests.unit.vsphere.conftest import MIG_STARTABLE, card, host
from tests.unit.vsphere.worlds import MIG, PASSED, PASSTHROUGH, STATIC, VGPU, passed, shared

OFF = replace(PASSED, enabled=False, active=False, label="")


def test_mig_is_switched_on_in_the_host_s_shell() -> None:
    """Whatever has a GPU of the host must be off: it is rebooted, and no VM with a GPU moves away by itself."""
    cards = (card("0000:3b:00.0", vms=("ml-2", "ml-1")), card("0000:af:00.0", vms=("ml-1",)))
    used = shared(cards=cards, vms=(VmOnHost("owns-a-card", passthrough=("0000:d8:00.0",)),))
    [told] = steps([used, host("esx-03", connected=False)], MIG)
    assert list(told.lines()) == [
        "esx-01: switch MIG mode in the host's shell",
        "  first power off, or move away: ml-1, ml-2, owns-a-card",
        "  esxcli system maintenanceMode set --enable true",
        "  nvidia-smi -i 00000000:3B:00.0 -mig 1",
        "  nvidia-smi -i 00000000:AF:00.0 -mig 1",
        "  reboot",
        "  nvidia-smi -i 00000000:3B:00.0 --query-gpu=mig.mode.current --format=csv,noheader   # must say Enabled",
        "  nvidia-smi -i 00000000:AF:00.0 --query-gpu=mig.mode.current --format=csv,noheader   # must say Enabled",
        "  esxcli system maintenanceMode set --enable false",
    ]


def test_only_cards_in_the_other_mode_are_switched() -> None:
    cards = (card("0000:3b:00.0"), card("0000:af:00.0", vgpu_mode="multiInstanceGpu"))
    told = steps_on(shared(cards=cards), MIG)
    assert told
    assert [command for command in told.commands if " -mig " in command] == ["nvidia-smi -i 00000000:3B:00.0 -mig 1"]


def test_nothing_is_waited_for_as_soon_as_one_host_serves() -> None:
    assert steps([shared(), shared("esx-02", startable=MIG_STARTABLE)], MIG) == []


def test_a_card_whose_mode_nobody_tells_is_left_alone() -> None:
    assert steps([shared(cards=(card(vgpu_mode=None),), startable=())], MIG) == []


def test_and_off_again_for_time_sliced_vgpus() -> None:
    [told] = steps([shared(startable=MIG_STARTABLE)], VGPU)
    assert told.commands[1] == "nvidia-smi -i 00000000:3B:00.0 -mig 0"
    assert told.commands[3].endswith("# must say Disabled")


def test_a_host_in_the_right_mode_needs_nothing() -> None:
    assert steps([shared()], VGPU) == []
    assert steps([passed()], PASSTHROUGH) == []


def test_a_bus_id_is_written_as_nvidia_smi_does() -> None:
    assert bus_id("0001:c3:00.0") == "00000001:C3:00.0"


class TestHostsThatMayBeManaged:
    def test_graphics_type(self) -> None:
        other = shared(default_graphics_type="shared", cards=(card(graphics_type="basic"), card("0000:af:00.0")))
        assert [str(one) for one in changes([other, shared("esx-02")], VGPU)] == [
            "esx-01: graphics type of the host and of 0000:3b:00.0 to sharedDirect (host: shared); "
            "takes effect after a restart of the host"
        ]

    def test_passthrough_and_label(self) -> None:
        cards = (card("0000:3b:00.0", passthrough=OFF), card("0000:af:00.0", passthrough=replace(PASSED, label="x")))
        assert [str(one) for one in changes([passed(cards=cards)], PASSTHROUGH)] == [
            "esx-01 0000:3b:00.0: passthrough on, hardware label gpu-a100",
            "esx-01 0000:af:00.0: hardware label gpu-a100",
        ]

    def test_only_the_cards_that_are_named(self) -> None:
        cards = (card("0000:3b:00.0", passthrough=OFF), card("0000:af:00.0", passthrough=OFF))
        both = [passed("esx-01", cards=cards), passed("esx-02", cards=cards)]
        assert [str(one) for one in changes(both, STATIC)] == ["esx-01 0000:3b:00.0: passthrough on"]

    def test_a_card_in_use_is_left_alone(self) -> None:
        in_use = passed(cards=(card(passthrough=OFF),), vms=(VmOnHost("vm", passthrough=("0000:3b:00.0",)),))
        shares = passed(cards=(card(passthrough=OFF, vms=("vm",)),))
        unfit = passed(cards=(card(passthrough=PassthroughState(False, False, False)),))
        assert changes([in_use, shares, unfit], PASSTHROUGH) == []

    def test_nothing_to_do(self) -> None:
        assert changes([shared()], VGPU) == []
        assert changes([passed()], PASSTHROUGH) == []
