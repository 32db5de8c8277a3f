"""How many VMs fit, and what limits them."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.vsphere.hosts.capacity import Room, Shape, free, total
from aiinfra.domains.vsphere.reading.observed import PassthroughState, VgpuProfile, VmOnHost
from tests.unit.vsphere.conftest import MIG_STARTABLE, PROFILES, STARTABLE, card, host

GIB = 1024


def shape(profile: str, count: int = 1, memory_gib: int = 64) -> Shape:
    return Shape(count, memory_gib * GIB, next(one for one in PROFILES if one.name == profile))


def held(*profiles: str, **changes: Any) -> Any:
    """A host with one card on which VMs hold these profiles."""
    vms = [VmOnHost(f"vm-{number}", (profile,)) for number, profile in enumerate(profiles)]
    mig = any(profile.count("-") == 2 for profile in profiles)
    startable = MIG_STARTABLE if mig else STARTABLE
    return host(cards=(card(vms=tuple(vm.name for vm in vms), **changes),), vms=tuple(vms), startable=startable)


@pytest.mark.parametrize(("profile", "vms"), [("grid_a100-40c", 2), ("grid_a100-10c", 8), ("grid_a100-4c", 20)])
def test_empty_cards_hold_what_the_tables_say(profile: str, vms: int) -> None:
    assert free([host(memory_free_mib=4096 * GIB)], shape(profile)) == [
        Room("esx-01", vms, f"{profile}: {vms} free, a VM takes 1")
    ]


def test_memory_limits_too() -> None:
    assert free([host(memory_free_mib=100 * GIB)], shape("grid_a100-10c", memory_gib=64)) == [
        Room("esx-01", 1, "100 GiB of memory are free, a VM reserves 64")
    ]


def test_several_devices_of_one_vm_stand_on_one_host() -> None:
    hosts = [host("esx-01"), host("esx-02", cards=(card(),))]
    rooms = free(hosts, shape("grid_a100-40c", count=2))
    assert [room.vms for room in rooms] == [1, 0]
    assert total(rooms) == 1
    assert rooms[1].why == "grid_a100-40c: 1 free, a VM takes 2"


def test_a_card_of_one_size_takes_no_other() -> None:
    assert free([held("grid_a100-10c")], shape("grid_a100-20c"))[0].vms == 0
    assert free([held("grid_a100-10c")], shape("grid_a100-10c"))[0].vms == 3
    assert free([held("grid_a100-10c", vgpu_mode="mixedSize")], shape("grid_a100-20c"))[0].vms == 1


def test_a_card_of_mixed_sizes_has_its_nominal_memory() -> None:
    profile = VgpuProfile("grid_l40s-48c", 0x26B910DE, 48, "timeSliced", "compute")
    l40s = card(device_id=0x26B9, memory_mib=45776, vgpu_mode="mixedSize")
    world = host(cards=(l40s,), profiles=(profile,), startable=(profile.name,))
    assert free([world], Shape(1, 64 * GIB, profile))[0].vms == 1


def test_mig_instances_must_be_placeable() -> None:
    assert free([held("grid_a100-3-20c")], shape("grid_a100-3-20c"))[0].vms == 1
    assert free([held("grid_a100-3-20c", "grid_a100-3-20c")], shape("grid_a100-1-5c"))[0].vms == 0
    assert free([held("grid_a100-4-20c")], shape("grid_a100-1-5c"))[0].vms == 3
    assert free([held("grid_a100-1-5cme")], shape("grid_a100-1-5cme"))[0].vms == 0


def test_away_and_in_maintenance_is_no_room() -> None:
    assert free([host(connected=False), host(maintenance=True)], shape("grid_a100-40c")) == [
        Room("esx-01", 0, "the host is not connected"),
        Room("esx-01", 0, "the host is in maintenance mode"),
    ]


def test_a_host_that_does_not_tell_is_not_counted_as_full() -> None:
    rooms = free([host("esx-01", startable=None), host("esx-02")], shape("grid_a100-40c"))
    assert [room.vms for room in rooms] == [None, 2]
    assert total(rooms) == 2


@pytest.mark.parametrize(
    ("unread", "why"),
    [
        ({"memory": "no permission"}, "its memory: no permission"),
        ({"graphics": "no permission"}, "its graphics devices: no permission"),
        ({"vms": "GPUs of it are held by 1 VM"}, "GPUs of it are held by 1 VM"),
    ],
)
def test_what_cannot_be_read_leaves_the_room_unknown(unread: dict[str, str], why: str) -> None:
    assert free([host(unread=unread)], shape("grid_a100-40c")) == [Room("esx-01", None, why)]


def test_a_profile_that_cannot_be_started_has_no_room() -> None:
    assert free([host(startable=())], shape("grid_a100-40c"))[0].vms == 0


class TestPassthrough:
    WANTED = Shape(1, 64 * GIB, device_id=0x20F1, label="gpu-a100")

    def passed(self, **changes: Any) -> Any:
        state = {"capable": True, "enabled": True, "active": True, "label": "gpu-a100", **changes}
        return card(graphics_type=None, passthrough=PassthroughState(**state))

    def test_active_cards_with_the_label_count(self) -> None:
        off = card(passthrough=PassthroughState(capable=True, enabled=False, active=False))
        cards = (self.passed(), self.passed(label="other"), self.passed(active=False), off)
        assert free([host(cards=cards)], self.WANTED) == [
            Room("esx-01", 1, "cards to pass through: 1 free, a VM takes 1")
        ]

    def test_a_card_that_a_vm_has_does_not(self) -> None:
        taken = (VmOnHost("vm", passthrough=("0000:3b:00.0",)),)
        assert free([host(cards=(self.passed(),), vms=taken)], self.WANTED)[0].vms == 0

    def test_cards_that_are_named(self) -> None:
        cards = (self.passed(), card("0000:af:00.0", graphics_type=None, passthrough=self.passed().passthrough))
        wanted = Shape(2, 64 * GIB, pci_ids=("0000:3b:00.0", "0000:af:00.0"))
        taken = (VmOnHost("vm", passthrough=("0000:af:00.0",)),)
        assert free([host(cards=cards)], wanted)[0].vms == 1
        assert free([host(cards=cards, vms=taken)], wanted)[0].vms == 0

    def test_a_card_whose_state_is_not_told_leaves_it_unknown(self) -> None:
        assert free([host(cards=(card(),))], self.WANTED) == [
            Room("esx-01", None, "the host does not tell which cards are passed through")
        ]

    def test_another_card_does_not(self) -> None:
        assert free([host(cards=(self.passed(),))], Shape(1, 64 * GIB, device_id=0x26B9))[0].vms == 0
