"""Preflights as a whole: a good world, hosts that differ, what may be changed, MIG card by card."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiinfra.domains.vsphere.checks import judge
from aiinfra.domains.vsphere.reading.observed import DeviceGroup, Host, Site, VmOnHost
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from tests.unit.vsphere.conftest import MIG_STARTABLE, STARTABLE, card, host
from tests.unit.vsphere.worlds import (
    ECC,
    GROUP,
    MIG,
    NO,
    ON,
    PASSED,
    PASSTHROUGH,
    PINNED,
    STATIC,
    UNCOUNTED,
    VGPU,
    changed,
    one,
    passed,
    shared,
    through,
    told,
    world,
)


@pytest.mark.parametrize(
    ("good", "spec", "leaves"),
    [
        (world(), VGPU, [ECC]),
        (world(shared(startable=MIG_STARTABLE)), MIG, [ECC]),
        (world(passed()), PASSTHROUGH, [ECC]),
        (world(passed()), STATIC, [PINNED, ECC]),
        (world(shared(groups=(DeviceGroup("Nvidia:2@grid_a100-40c%NVLink"),))), GROUP, [UNCOUNTED, ECC]),
    ],
)
def test_a_good_world_leaves_only_what_no_api_tells(good: Site, spec: GpuTemplateSpec, leaves: list[str]) -> None:
    assert told(good, spec) == leaves
    assert len(judge(good, spec)) > 10


def test_every_finding_of_a_host_names_it() -> None:
    found = judge(world(shared("esx-01"), shared("esx-02")), VGPU)
    about_hosts = [finding for finding in found if finding.about.startswith("esx-")]
    assert len(about_hosts) > 20
    assert all(finding.about.split()[0] == finding.host for finding in about_hosts)


class TestMig:
    OFF, ON = card("0000:3b:00.0", passthrough=ON), card("0000:af:00.0", passthrough=ON, vgpu_mode="multiInstanceGpu")

    def states(self, host: Host, spec: GpuTemplateSpec = MIG) -> list[tuple[str, str, str]]:
        found = judge(world(host), spec)
        return [(one.level, one.about, one.read) for one in found if one.code == "vsphere.mig"]

    def test_a_card_in_the_other_mode_comes_with_the_commands(self) -> None:
        [one] = [f for f in judge(world(shared(startable=MIG_STARTABLE)), VGPU) if f.code == "vsphere.mig"]
        assert (one.level, one.about, one.read, one.needed) == ("error", "esx-01 0000:3b:00.0", "MIG on", "MIG off")
        assert one.hint == (
            "esx-01: switch MIG mode in the host's shell\n"
            "  esxcli system maintenanceMode set --enable true\n"
            "  nvidia-smi -i 00000000:3B:00.0 -mig 0\n"
            "  reboot\n"
            "  nvidia-smi -i 00000000:3B:00.0 --query-gpu=mig.mode.current --format=csv,noheader   # must say Disabled\n"
            "  esxcli system maintenanceMode set --enable false"
        )

    def test_a_vcenter_of_8_0_3_tells_it_card_by_card(self) -> None:
        both = shared(cards=(self.OFF, self.ON), startable=(*STARTABLE, *MIG_STARTABLE))
        assert self.states(both) == [
            ("note", "esx-01 0000:3b:00.0", "MIG off"),
            ("ok", "esx-01 0000:af:00.0", "MIG on"),
        ]
        assert self.states(both, VGPU) == [
            ("ok", "esx-01 0000:3b:00.0", "MIG off"),
            ("note", "esx-01 0000:af:00.0", "MIG on"),
        ]

    def test_an_older_one_leaves_open_which_card_it_is(self) -> None:
        cards = (replace(self.OFF, vgpu_mode=None), replace(self.ON, vgpu_mode=None))
        both = shared(cards=cards, startable=(*STARTABLE, *MIG_STARTABLE))
        assert self.states(both) == [
            ("note", f"esx-01 {one.pci_id}", "on for some of its cards: which, this vCenter does not tell")
            for one in cards
        ]

    def test_a_full_card_is_in_the_mode_of_what_its_vms_hold(self) -> None:
        full = replace(self.OFF, vgpu_mode=None, vms=("ml-1",))
        held = shared(cards=(full,), startable=())
        assert self.states(replace(held, vms=(VmOnHost("ml-1", ("grid_a100-7-40c",)),))) == [
            ("ok", "esx-01 0000:3b:00.0", "MIG on")
        ]
        assert self.states(replace(held, vms=(VmOnHost("ml-1", ("grid_a100-40c",)),)), VGPU) == [
            ("ok", "esx-01 0000:3b:00.0", "MIG off")
        ]

    def test_what_nobody_tells_is_unknown(self) -> None:
        assert self.states(shared(cards=(replace(self.OFF, vgpu_mode=None),), startable=())) == [
            ("unknown", "esx-01 0000:3b:00.0", "cannot be inferred: no profile of the card can be started")
        ]
        assert self.states(shared(startable=None, unread={"startable": NO})) == [("unknown", "esx-01", NO)]


def test_a_template_that_is_not_started_needs_no_room_now() -> None:
    full = shared(cards=(card(passthrough=ON, vms=("vm",)),), vms=(VmOnHost("vm", ("grid_a100-10c",)),))
    assert {f.level for f in judge(world(full), VGPU) if f.code == "vsphere.capacity"} == {"warning"}


def test_a_host_in_maintenance_counts_nothing_and_the_other_serves() -> None:
    found = judge(world(shared("esx-01", maintenance=True), shared("esx-02")), VGPU)
    assert ("ok", "1 more VM in total") in [(f.level, f.read) for f in found]
    assert ("warning", "in maintenance mode") in [(f.level, f.read) for f in found]


def test_a_host_that_is_away_is_asked_nothing_more() -> None:
    away = host("esx-01", connected=False, cards=(), startable=None, profiles=None, version=None)
    both = world(away, shared("esx-02"))
    assert [(f.level, f.read) for f in judge(both, VGPU) if f.about == "esx-01"] == [("warning", "not connected")]
    assert ("error", "not connected") in [(f.level, f.read) for f in judge(world(away), VGPU)]


def test_a_host_that_cannot_serve_is_no_error_beside_one_that_can() -> None:
    both = world(shared("esx-01"), shared("esx-02", default_graphics_type="shared"))
    assert [text.partition(" | ")[0] for text in told(both, VGPU)] == [
        "note esx-01: no vSphere API tells the ECC mode",
        "warning esx-02: host shared",
        "note esx-02: no vSphere API tells the ECC mode",
    ]


def test_a_hundred_hosts_make_no_sentence_of_a_hundred_names() -> None:
    many = world(*(shared(f"esx-{number}") for number in range(100)))
    [one] = [finding for finding in judge(many, VGPU) if finding.code == "vsphere.profile" and not finding.host]
    assert one.read == "grid_a100-40c on esx-0, esx-1, esx-2, esx-3, esx-4, esx-5, esx-6, esx-7 and 92 more"
    unmounted = world(*(shared(f"esx-{number}", datastores=()) for number in range(100)))
    assert any("not mounted by esx-0, esx-1" in text and "and 92 more" in text for text in told(unmounted, VGPU))


def test_a_host_that_the_cluster_has_not() -> None:
    assert (
        "error cluster gpu: has no host esx-09 | a host | name another | vSphere Web Services API 8.0.3: "
        "HostRuntimeInfo"
    ) in told(world(passed()), changed(STATIC, gpu={"host": "esx-09"}))


def test_a_named_card_is_looked_for_on_the_named_host_alone() -> None:
    elsewhere = passed("esx-01", cards=(card("0000:af:00.0", graphics_type=None, passthrough=PASSED),))
    assert [text for text in told(world(elsewhere, passed("esx-02")), STATIC) if text.startswith("error")] == [
        "error esx-01: no NVIDIA card 0000:3b:00.0; it has 0000:af:00.0 | 0000:3b:00.0 | name a card that it has | "
        "vSphere Web Services API 8.0.3: HostPciDevice"
    ]


def test_cards_beside_one_that_is_passed_through_serve() -> None:
    both = shared(cards=(card("0000:3b:00.0", passthrough=ON), *passed().cards))
    read = [finding.read for finding in judge(world(both), VGPU) if finding.code == "vsphere.graphics"]
    assert read == ["sharedDirect, vGPUs spread over the cards; 0000:3b:00.0 passed through"]


class TestWhatUpDoesFirst:
    """What follows from the state of hosts is no error while `up` changes it, or waits for it."""

    def levels(self, site: Site, spec: GpuTemplateSpec) -> dict[str, tuple[str, str]]:
        return {each.code: (each.level, each.hint) for each in judge(site, spec) if each.level in ("warning", "error")}

    def test_passthrough_that_is_set(self) -> None:
        off = world(through(enabled=False, active=False))
        by_hand = self.levels(off, changed(PASSTHROUGH, verify="power_on"))
        assert by_hand["vsphere.capacity"] == ("error", "free cards or memory, or ask less for each VM")
        allowed = self.levels(off, changed(PASSTHROUGH, verify="power_on", manage_hosts=True))
        assert allowed["vsphere.capacity"] == ("warning", "`up` sets what manage_hosts allows first, and looks again")

    def test_a_graphics_type_that_is_set(self) -> None:
        basic = world(one(graphics_type="basic"), settings={})
        shared_none = world(shared(default_graphics_type="shared", startable=(), profiles=()))
        assert self.levels(basic, changed(VGPU, manage_hosts=True))["vsphere.graphics"][0] == "warning"
        assert self.levels(shared_none, VGPU)["vsphere.profile_unknown"][0] == "error"
        assert self.levels(shared_none, changed(VGPU, manage_hosts=True))["vsphere.profile_unknown"] == (
            "warning",
            "`up` sets what manage_hosts allows first, and looks again",
        )

    def test_mig_that_is_waited_for(self) -> None:
        assert {code: level for code, (level, _) in self.levels(world(), MIG).items() if "mig" in code} == {
            "vsphere.mig_off": "error",
            "vsphere.mig": "error",
        }
        waited = self.levels(world(), changed(MIG, wait_for_host_mig=True))
        assert waited["vsphere.mig_off"] == (
            "warning",
            "`up` waits until somebody has switched MIG mode, and looks again",
        )
        assert waited["vsphere.mig"][0] == "warning"
        assert waited["vsphere.mig"][1].startswith("esx-01: switch MIG mode in the host's shell\n")

    def test_nothing_is_foreseen_when_nothing_is_to_be_done(self) -> None:
        full = shared(cards=(card(passthrough=ON, vms=("vm",)),), vms=(VmOnHost("vm", ("grid_a100-40c",)),))
        spec = changed(VGPU, verify="power_on", manage_hosts=True, wait_for_host_mig=True)
        assert ("error", "0 more VMs in total") in [(each.level, each.read) for each in judge(world(full), spec)]


def test_what_may_be_changed_on_a_host_is_shown_before() -> None:
    off = passed(cards=(card(passthrough=replace(PASSED, enabled=False, active=False, label="")),))
    assert [text for text in told(world(off), changed(PASSTHROUGH, manage_hosts=True)) if "`up` will" in text] == [
        "warning esx-01: `up` will set 0000:3b:00.0: passthrough on, hardware label gpu-a100 | your consent | "
        "set manage_hosts: false to do it by hand | "
        "vSphere Web Services API 8.0.3: HostGraphicsManager, HostPciPassthruSystem"
    ]
    assert [text for text in told(world(off), PASSTHROUGH) if "`up` will" in text] == []
