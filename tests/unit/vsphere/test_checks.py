"""Preflights: a good world has nothing to say; each test breaks one thing of it and reads the sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from aiinfra.errors import CODES
from aiinfra.facts.gpus import gpu
from aiinfra.stack import Finding
from aiinfra.vsphere.checks import WantedVm, judge
from aiinfra.vsphere.profiles import WantedProfile
from aiinfra.vsphere.readings import (
    Cluster,
    Datastore,
    Host,
    MissingPrivilege,
    PassthroughState,
    Site,
    Source,
    Vib,
    VmOnHost,
)
from tests.unit.vsphere.conftest import MIG_STARTABLE, STARTABLE, card, host, site

A100 = gpu("A100-PCIe-40GB")
ON = PassthroughState(True, False, False, sriov_capable=True, sriov_enabled=True, sriov_active=True)
PASSED = PassthroughState(True, True, True, "gpu-a100")
SOURCE = "/dc1/vm/templates/rhcos"
VGPU = WantedVm(
    "vgpu", 1, 65536, 19, WantedProfile("timeSliced", name="grid_a100-40c"), guest_driver="580.65.06", source=SOURCE
)
MIG = replace(VGPU, mode="mig", profile=WantedProfile("mig", gpu=A100, memory_gib=20))
PASSTHROUGH = WantedVm("passthrough", 1, 65536, 19, gpu=A100, label="gpu-a100", source=SOURCE)
STATIC = WantedVm("static_passthrough", 1, 65536, 19, host="esx-01", pci_ids=("0000:3b:00.0",), source=SOURCE)


def shared(name: str = "esx-01", **changes: Any) -> Host:
    """A host that serves vGPUs well."""
    return host(name, **{"cards": (card("0000:3b:00.0", passthrough=ON),), **changes})


def passed(name: str = "esx-01", **changes: Any) -> Host:
    """A host whose card is passed through."""
    made = card("0000:3b:00.0", graphics_type=None, passthrough=PASSED)
    return host(name, **{"cards": (made,), "startable": (), **changes})


def cluster(*hosts: Host, **changes: Any) -> Cluster:
    options = {"VgpuMMAutomationTimeoutSecs": "-1"}
    made = Cluster("domain-c1", "/dc1/host/gpu", "gpu", True, "fullyAutomated", options, "resgroup-1", hosts)
    return replace(made, **changes)


def world(*hosts: Host, **changes: Any) -> Site:
    return site(**{"cluster": cluster(*(hosts or (shared(),))), **changes})


def told(world: Site, wanted: WantedVm) -> list[str]:
    """Every finding but `ok`: `level about: read; needed …; way out`."""
    return [_text(finding) for finding in judge(world, wanted) if finding.level != "ok"]


def _text(finding: Finding) -> str:
    return f"{finding.level} {finding.about}: {finding.read} | {finding.needed} | {finding.hint}"


ECC = (
    "warning esx-01: no vSphere API tells the ECC mode | ECC as you want it | "
    "run on the host: nvidia-smi --query-gpu=ecc.mode.current --format=csv"
)
"""The one thing that is said of every good host: nobody can know it from here."""


@pytest.mark.parametrize(
    ("good", "wanted"),
    [
        (world(), VGPU),
        (world(shared(startable=MIG_STARTABLE)), MIG),
        (world(passed()), PASSTHROUGH),
        (world(passed()), STATIC),
    ],
)
def test_a_good_world_leaves_only_what_no_api_tells(good: Site, wanted: WantedVm) -> None:
    assert told(good, wanted) == [ECC]
    assert len(judge(good, wanted)) > 10


Break = tuple[Callable[[], Site], WantedVm, str]
SHARED: list[Break] = [
    (
        lambda: world(shared(version="7.0.1", build="17551050")),
        VGPU,
        "error esx-01: ESXi 7.0.1, build 17551050 | ESXi 7.0.2 or newer (hardware version 19) | "
        "update the host, or ask less of the template",
    ),
    (
        lambda: world(shared(version=None, unread={"version": "no permission System.Read"})),
        VGPU,
        "unknown esx-01: no permission System.Read | ESXi 7.0.2 or newer (hardware version 19) | read it on the host",
    ),
    (
        lambda: world(shared(license_edition="VMware vSphere 8 Standard")),
        VGPU,
        "error esx-01: VMware vSphere 8 Standard | an edition with vGPU and DRS, such as vSphere Enterprise Plus | "
        "assign such a licence, or use passthrough",
    ),
    (
        lambda: world(shared(license_edition=None)),
        VGPU,
        "unknown esx-01: vCenter does not tell it | an edition with vGPU and DRS, such as vSphere Enterprise Plus | "
        "look at the host's licence in vCenter",
    ),
    (
        lambda: world(shared(dns=())),
        VGPU,
        "warning esx-01: no DNS server | a DNS server | set one in the host's network settings",
    ),
    (
        lambda: world(shared(ntp_running=False)),
        VGPU,
        "warning esx-01: 10.0.0.123, service does not run | an NTP server, its service running | "
        "set an NTP server and start ntpd: licences and certificates fail on a wrong clock",
    ),
    (
        lambda: world(shared(default_graphics_type="shared")),
        VGPU,
        "error esx-01: host shared | sharedDirect | set SharedDirect and restart the host, or set manage_hosts: true",
    ),
    (
        lambda: world(shared(cards=(card(passthrough=ON, graphics_type="shared"),))),
        replace(VGPU, manage_hosts=True),
        "warning esx-01: host sharedDirect, 0000:3b:00.0 shared | sharedDirect | `up` sets it, as manage_hosts allows",
    ),
    (
        lambda: world(shared(cards=(card(passthrough=replace(ON, sriov_active=False)),))),
        VGPU,
        "error esx-01 0000:3b:00.0: enabled and not active | SR-IOV on, for GPUs of Ampere and newer | reboot esx-01",
    ),
    (
        lambda: world(shared(cards=(card(),))),
        VGPU,
        "unknown esx-01 0000:3b:00.0: vCenter does not tell it | SR-IOV on, for GPUs of Ampere and newer | "
        "look at SR-IOV in the server's BIOS: the API does not show it for this card",
    ),
    (
        lambda: world(shared(vibs=())),
        VGPU,
        "error esx-01: no VIB of NVIDIA | NVIDIA's vGPU manager | "
        "install NVIDIA's vGPU manager VIB of the guests' branch, and reboot",
    ),
    (
        lambda: world(shared(vibs=(Vib("nvdgpumgmtdaemon", "580.65.05-1OEM.700.1.0.15843807", "NVD"),))),
        VGPU,
        "error esx-01: none: of NVIDIA there is nvdgpumgmtdaemon 580.65.05-1OEM.700.1.0.15843807 | "
        "NVIDIA's vGPU manager | install NVIDIA's vGPU manager VIB of the guests' branch, and reboot",
    ),
    (
        lambda: world(shared(vibs=(Vib("NVD-AIE_ESXi_8.0.0_Driver", "550.54.16-1OEM.800", "NVIDIA"),))),
        VGPU,
        "error esx-01: NVD-AIE_ESXi_8.0.0_Driver 550.54.16 | a branch that takes guest driver 580.65.06 | "
        "install a guest driver of the host's branch, or a vGPU manager of the guest's",
    ),
    (
        lambda: world(shared(vibs=(Vib("NVD-AIE_ESXi_9.0.0_Driver", "999.54-1OEM", "NVIDIA"),))),
        VGPU,
        "unknown esx-01: NVD-AIE_ESXi_9.0.0_Driver 999.54: a branch we do not know | "
        "a branch that takes guest driver 580.65.06 | compare them with NVIDIA's compatibility table",
    ),
    (
        lambda: world(shared(cards=(card(passthrough=ON, vgpu_mode=None),))),
        VGPU,
        "warning esx-01 0000:3b:00.0: not told by this vCenter | "
        "told, as one size only fits on a card without mixed sizes | "
        "expect one size for each card; vCenter 8.0 Update 3 tells it",
    ),
    (
        lambda: world(cluster=cluster(shared(), drs_enabled=False)),
        VGPU,
        "error cluster gpu: off | DRS on: it finds the host that has the GPUs free | "
        "switch DRS on, or name a host with static_passthrough",
    ),
    (
        lambda: world(cluster=cluster(shared(), drs_behavior="manual")),
        VGPU,
        "warning cluster gpu: on, manual | DRS on: it finds the host that has the GPUs free | "
        "set it to fully automated, or place each VM by hand; machine sets override it at power-on",
    ),
    (
        lambda: world(settings={}),
        VGPU,
        "warning cluster gpu: vgpu.hotmigrate.enabled=not set, VgpuMMAutomationTimeoutSecs=-1 | "
        "vGPU VMs leave a host that enters maintenance | "
        "set both (VgpuMMAutomationTimeoutSecs=-1), or drain and power off such VMs by hand",
    ),
    (
        lambda: world(folder=None),
        VGPU,
        "error vc.dc1.example: does not exist | a folder for templates | make it, or name one that exists",
    ),
    (
        lambda: world(datastore=Datastore("datastore-1", "/dc1/datastore/ssd", "ssd", 1 << 20, 8192, True)),
        VGPU,
        "error /dc1/datastore/ssd: 8 GiB free | 16 GiB for the source's disks | free space, or name another datastore",
    ),
    (
        lambda: world(shared(datastores=())),
        VGPU,
        "warning /dc1/datastore/ssd: not mounted by esx-01 | mounted by every host: a clone starts where its disks are "
        "| mount it there",
    ),
    (
        lambda: world(source=None),
        VGPU,
        "error /dc1/vm/templates/rhcos: does not exist | a VM or template | name one that exists: its inventory path",
    ),
    (
        lambda: world(missing_privileges=(MissingPrivilege("VirtualMachine.Config.Resource", "/dc1/vm/t", "memory"),)),
        VGPU,
        "error /dc1/vm/t: lacks VirtualMachine.Config.Resource | memory | "
        "give the account a role with VirtualMachine.Config.Resource",
    ),
    (
        lambda: world(missing_privileges=None),
        VGPU,
        "unknown vc.dc1.example: vCenter does not tell it | every privilege that a template takes | "
        "ask the vCenter's administrator",
    ),
]
PASSING: list[Break] = [
    (
        lambda: world(passed(cards=(card(passthrough=replace(PASSED, active=False)),))),
        PASSTHROUGH,
        "error esx-01 0000:3b:00.0: enabled and not active: a reboot is pending | passthrough on | reboot esx-01",
    ),
    (
        lambda: world(passed(cards=(card(passthrough=replace(PASSED, enabled=False, active=False)),))),
        PASSTHROUGH,
        "error esx-01 0000:3b:00.0: off | passthrough on | "
        "switch passthrough on for it in the host's PCI devices, or set manage_hosts: true",
    ),
    (
        lambda: world(passed(cards=(card(passthrough=PassthroughState(False, False, False)),))),
        STATIC,
        "error esx-01 0000:3b:00.0: cannot be passed through | passthrough on | "
        "switch VT-d or AMD-Vi on in the server's BIOS",
    ),
    (
        lambda: world(passed(), passed("esx-02", cards=(card(passthrough=replace(PASSED, label="other")),))),
        PASSTHROUGH,
        "warning esx-02 0000:3b:00.0: label other | label gpu-a100 | "
        "set the hardware label of the device, or set manage_hosts: true",
    ),
]


@pytest.mark.parametrize(("broken", "wanted", "says"), SHARED + PASSING)
def test_one_thing_is_broken(broken: Callable[[], Site], wanted: WantedVm, says: str) -> None:
    assert says in told(broken(), wanted)
    assert {finding.code for finding in judge(broken(), wanted)} <= set(CODES)


def test_a_source_says_each_of_its_flaws() -> None:
    bad = Source("vm-1", SOURCE, False, True, 13, "rhel9_64Guest", "bios", True, (1024, 2048), 2)
    assert [text for text in told(world(source=bad), VGPU) if SOURCE in text] == [
        f"error {SOURCE}: 2 disks | one disk, as a machine set resizes it | take an image with one disk",
        f"error {SOURCE}: 2 snapshots | none: a full clone of it must be whole | delete its snapshots",
        f"error {SOURCE}: powered on | powered off, so that its disk is whole | power it off, or make a template of it",
        f"warning {SOURCE}: firmware bios | EFI, which the template is set to | "
        "take an image that boots by EFI; RHCOS boots either way, other guests may not",
    ]


class TestMig:
    def test_a_mig_profile_while_mig_is_off(self) -> None:
        assert told(world(), MIG)[:2] == [
            "error cluster gpu: grid_a100-3-20c is listed by esx-01 and cannot be started: MIG mode is off on their "
            "free cards | a profile that can be started now | "
            "switch MIG on in the host's shell: aiinfra doctor shows how",
            "error esx-01: MIG off on 1 of its cards | MIG on | esx-01: switch MIG mode in the host's shell\n"
            "  esxcli system maintenanceMode set --enable true\n"
            "  nvidia-smi -i 00000000:3B:00.0 -mig 1\n"
            "  reboot\n"
            "  nvidia-smi -i 00000000:3B:00.0 --query-gpu=mig.mode.current --format=csv,noheader   # must say Enabled\n"
            "  esxcli system maintenanceMode set --enable false",
        ]

    def test_a_time_sliced_profile_while_mig_is_on(self) -> None:
        [one] = [f for f in judge(world(shared(startable=MIG_STARTABLE)), VGPU) if f.code == "vsphere.mig"]
        assert (one.level, one.read, one.needed) == ("error", "MIG on on 1 of its cards", "MIG off")
        assert "nvidia-smi -i 00000000:3B:00.0 -mig 0" in one.hint

    def test_a_vcenter_of_8_0_3_says_it_itself(self) -> None:
        shown = shared(cards=(card(passthrough=ON, vgpu_mode="multiInstanceGpu"),), startable=STARTABLE)
        assert "MIG on on 1 of its cards" in [finding.read for finding in judge(world(shown), MIG)]

    def test_a_host_that_does_not_list_what_it_can_start_is_unknown(self) -> None:
        silent = shared(startable=None, unread={"startable": "no permission System.Read"})
        levels = {(f.level, f.code) for f in judge(world(silent), MIG)}
        assert {("unknown", "vsphere.mig"), ("unknown", "vsphere.mig_off")} <= levels


class TestCapacity:
    def test_a_full_cluster_is_an_error_and_says_what_limits_each_host(self) -> None:
        used = card(passthrough=ON, vms=("vm",))
        full = shared(cards=(used,), vms=(VmOnHost("vm", ("grid_a100-10c",)),))
        assert [text for text in told(world(full), replace(VGPU, power_on=True)) if "room" in text] == [
            "warning esx-01: no room: grid_a100-40c: 0 free, a VM takes 1 | room for a VM of one GPU and 64 GiB | "
            "free a card, or expect no VM there",
            "error cluster gpu: 0 more VMs in total | room for a VM of one GPU and 64 GiB | "
            "free cards or memory, or ask less for each VM",
        ]

    def test_a_template_that_is_not_started_needs_no_room_now(self) -> None:
        full = shared(cards=(card(passthrough=ON, vms=("vm",)),), vms=(VmOnHost("vm", ("grid_a100-10c",)),))
        assert {f.level for f in judge(world(full), VGPU) if f.code == "vsphere.capacity"} == {"warning"}

    def test_a_host_in_maintenance_counts_nothing_and_the_other_serves(self) -> None:
        both = world(shared("esx-01", maintenance=True), shared("esx-02"))
        found = judge(both, VGPU)
        assert ("ok", "1 more VMs in total") in [(f.level, f.read) for f in found]
        assert ("warning", "in maintenance mode") in [(f.level, f.read) for f in found]


def test_a_host_that_is_away_is_asked_nothing_more() -> None:
    away = host("esx-01", connected=False, cards=(), startable=None, profiles=None, version=None)
    both = world(away, shared("esx-02"))
    assert [(f.level, f.read) for f in judge(both, VGPU) if f.about == "esx-01" and f.code != "vsphere.capacity"] == [
        ("warning", "not connected")
    ]
    assert ("error", "not connected") in [(f.level, f.read) for f in judge(world(away), VGPU)]


def test_a_host_that_cannot_serve_is_no_error_beside_one_that_can() -> None:
    both = world(shared("esx-01"), shared("esx-02", default_graphics_type="shared"))
    assert told(both, VGPU)[:2] == [
        ECC,
        "warning esx-02: host shared | sharedDirect | set SharedDirect and restart the host, or set manage_hosts: true",
    ]


def test_a_cluster_without_such_a_card_says_what_it_has() -> None:
    wanted = replace(PASSTHROUGH, gpu=gpu("L40S"))
    assert (
        "error cluster gpu: no such card; its hosts have NVIDIA A100-PCIE-40GB | L40S | name a GPU that the hosts have"
    ) in told(world(passed()), wanted)


def test_a_host_that_the_cluster_has_not() -> None:
    assert "error cluster gpu: has no host esx-09 | a host | name another" in told(
        world(passed()), replace(STATIC, host="esx-09")
    )


def test_what_may_be_changed_on_a_host_is_shown_before() -> None:
    off = passed(cards=(card(passthrough=replace(PASSED, enabled=False, active=False, label="")),))
    assert [text for text in told(world(off), replace(PASSTHROUGH, manage_hosts=True)) if "`up` will" in text] == [
        "warning esx-01: `up` will set 0000:3b:00.0: passthrough on, hardware label gpu-a100 | your consent | "
        "set manage_hosts: false to do it by hand"
    ]
    assert [text for text in told(world(off), PASSTHROUGH) if "`up` will" in text] == []


def test_a_model_that_needs_a_newer_driver() -> None:
    h100 = gpu("H100-PCIe-80GB")
    wanted = replace(VGPU, profile=WantedProfile("timeSliced", gpu=h100, memory_gib=40), guest_driver="")
    old = shared(vibs=(Vib("NVD-VGPU", "510.108.03-1OEM", "NVIDIA"),))
    assert (
        "error esx-01: 510.108.03 | a vGPU manager of branch 525 or newer for H100-PCIe-80GB | update the vGPU manager"
    ) in told(world(old), wanted)
