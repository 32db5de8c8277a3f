"""Which profile is taken, and what is said when there is none."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.vsphere.hosts.profiles import Choice, NoProfile, choose
from aiinfra.domains.vsphere.reading.observed import VmOnHost
from aiinfra.domains.vsphere.spec import VgpuDevices
from tests.unit.vsphere.conftest import MIG_STARTABLE, PROFILES, STARTABLE, card, host


def intent(memory: int, mode: Any = "vgpu", model: str = "A100-PCIe-40GB") -> VgpuDevices:
    return VgpuDevices.model_validate({"mode": mode, "model": model, "memory": f"{memory}GiB"})


def refused(told: Choice | NoProfile) -> tuple[str, str, str]:
    assert isinstance(told, NoProfile)
    return told.code, told.message, told.hint


@pytest.mark.parametrize(("memory", "name"), [(1, "grid_a100-4c"), (6, "grid_a100-8c"), (40, "grid_a100-40c")])
def test_by_intent_the_smallest_that_is_large_enough(memory: int, name: str) -> None:
    told = choose([host("esx-01"), host("esx-02")], intent(memory))
    assert isinstance(told, Choice)
    assert told.profile.name == name
    assert told.hosts == ["esx-01", "esx-02"]


def test_it_says_why_the_others_were_passed_over() -> None:
    told = choose([host()], intent(20))
    assert isinstance(told, Choice)
    assert "grid_a100-3-20c is MIG-backed" in told.passed_over
    assert "grid_a100-10c has 10 GiB, less than 20" in told.passed_over


def test_a_host_in_mig_mode_serves_its_intent() -> None:
    told = choose([host("esx-01"), host("esx-02", startable=MIG_STARTABLE)], intent(20, "mig"))
    assert isinstance(told, Choice)
    assert (told.profile.name, told.hosts) == ("grid_a100-3-20c", ["esx-02"])


def test_a_profile_is_found_by_name_in_any_case_and_under_another_prefix() -> None:
    shouted = [host(startable=["GRID_A100-40C"])]
    for name in ("grid_a100-40c", "NVIDIA_A100-40C"):
        told = choose(shouted, VgpuDevices(mode="vgpu", profile=name))
        assert isinstance(told, Choice)
        assert told.profile.name == "grid_a100-40c"


def test_an_unknown_profile_has_a_nearest_name() -> None:
    assert refused(choose([host()], VgpuDevices(mode="vgpu", profile="grid_a100-41c"))) == (
        "vsphere.profile_unknown",
        "no host lists the vGPU profile grid_a100-41c",
        "did you mean grid_a100-4c?",
    )


def test_a_mig_profile_while_mig_is_off() -> None:
    assert refused(choose([host()], VgpuDevices(mode="mig", profile="grid_a100-3-20c"))) == (
        "vsphere.mig_off",
        "grid_a100-3-20c is listed by esx-01 and cannot be started: MIG mode is off on their free cards",
        "switch MIG on in the host's shell: aiinfra doctor ENV shows how",
    )
    assert refused(choose([host()], intent(20, "mig")))[0] == "vsphere.mig_off"


def test_a_mig_profile_is_not_time_sliced() -> None:
    assert refused(choose([host()], VgpuDevices(mode="vgpu", profile="grid_a100-3-20c"))) == (
        "vsphere.profile_mode",
        "profile grid_a100-3-20c is MIG-backed, not time-sliced",
        "set gpu.mode: mig, or name another profile",
    )


def test_more_memory_than_any_profile_has() -> None:
    assert refused(choose([host()], intent(41))) == (
        "vsphere.profile_too_small",
        "no time-sliced profile of A100-PCIe-40GB has 41 GiB",
        "the largest has 40 GiB",
    )


def test_another_card_than_the_hosts_have() -> None:
    assert refused(choose([host()], intent(24, model="L40S"))) == (
        "vsphere.gpu_absent",
        "no host lists a vGPU profile of L40S",
        "the hosts have: NVIDIA A100-PCIE-40GB",
    )


def test_a_card_that_is_taken_by_another_size() -> None:
    full = host(startable=[name for name in STARTABLE if name != "grid_a100-40c"])
    assert refused(choose([full], VgpuDevices(mode="vgpu", profile="grid_a100-40c"))) == (
        "vsphere.profile_not_startable",
        "grid_a100-40c is listed by esx-01 and cannot be started: no card has room for it in its mode",
        "free a card, or name a profile that can be started: aiinfra doctor ENV lists them",
    )


def test_cards_that_run_another_size_and_take_no_second_one() -> None:
    busy = host(
        cards=(card("0000:3b:00.0", vms=("user-vm",)),),
        vms=(VmOnHost("user-vm", ("grid_a100-20c",)),),
        startable=["grid_a100-20c"],
    )
    assert refused(choose([busy], VgpuDevices(mode="vgpu", profile="grid_a100-10c"))) == (
        "vsphere.profile_not_startable",
        "grid_a100-10c is listed by esx-01 and cannot be started: its cards run vGPUs of 20 GB, and take one size each",
        "switch mixed-size mode on for a card, or name grid_a100-20c",
    )


def test_full_cards_are_called_full_whatever_the_size_that_fills_them() -> None:
    full = host(
        cards=(card("0000:3b:00.0", vms=("user-vm",)),),
        vms=(VmOnHost("user-vm", ("grid_a100-40c",)),),
        startable=[],
    )
    assert refused(choose([full], VgpuDevices(mode="vgpu", profile="grid_a100-20c"))) == (
        "vsphere.profile_not_startable",
        "grid_a100-20c is listed by esx-01 and cannot be started: no card has room for it in its mode",
        "free a card, or name a profile that can be started: aiinfra doctor ENV lists them",
    )


def test_a_host_that_did_not_answer_is_not_taken_for_one_without() -> None:
    told = choose([host("esx-01", startable=None, profiles=None)], VgpuDevices(mode="vgpu", profile="grid_a100-40c"))
    assert isinstance(told, NoProfile)
    assert told.unread == ["esx-01"]
    assert len(PROFILES) == 13
