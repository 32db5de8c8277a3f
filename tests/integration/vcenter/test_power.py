"""Cards that VMs use up, and the reasons for which a VM with GPUs does not start."""

from __future__ import annotations

from pyVmomi import vim

from aiinfra.domains.vsphere.lab.block import LabCards, LabEsxCluster, LabEsxHosts
from tests.integration.vcenter.client import (
    Pci,
    devices,
    done,
    dynamic,
    on_each_host,
    options,
    refusal,
    vgpu,
    with_gpus,
)
from tests.integration.vcenter.conftest import A100, Start

FULL = (
    "InsufficientGraphicsResourcesFault",
    "The amount of graphics resource available in the parent resource pool is insufficient for the operation.",
)


def test_a_vgpu_that_runs_is_shown_on_its_card_and_freed_at_power_off(start: Start) -> None:
    there = start()
    vm = there.clone("vm", with_gpus(vgpu("grid_a100-40c")))
    assert there.place_and_start(vm) == "esx-0"
    host = there.host("esx-0")
    assert [[one.name for one in card.vm] for card in host.config.graphicsInfo] == [["vm"], []]
    assert host.summary.quickStats.overallMemoryUsage == 4096 + 16384
    done(vm.PowerOffVM_Task())
    assert [list(card.vm) for card in host.config.graphicsInfo] == [[], []]


def test_a_vm_that_runs_is_not_started_again_and_keeps_its_card(start: Start) -> None:
    there = start()
    vm = there.clone("vm", with_gpus(vgpu("grid_a100-40c")), powerOn=True)
    assert refusal(lambda: there.place_and_start(vm))[0] == "InvalidPowerState"
    assert [[one.name for one in card.vm] for card in there.host("esx-0").config.graphicsInfo] == [["vm"], []]


def test_all_vgpus_of_a_card_have_one_size_unless_it_is_in_mixed_mode(start: Start) -> None:
    def second(mixed: bool) -> tuple[str, str]:
        there = start(LabCards(model=A100, mixed_size=mixed))
        there.place_and_start(there.clone("small", with_gpus(vgpu("grid_a100-5c"))))
        other = there.clone("large", with_gpus(vgpu("grid_a100-20c")))
        return refusal(lambda: there.place_and_start(other)) if not mixed else (there.place_and_start(other), "")

    assert second(mixed=False) == ("NoCompatibleHost", "No host is compatible with the virtual machine.")
    assert second(mixed=True) == ("esx-0", "")


def test_what_can_be_started_follows_from_what_runs(start: Start) -> None:
    there = start(LabCards(model=A100))
    there.clone("vm", with_gpus(vgpu("grid_a100-20c")), powerOn=True)
    assert list(there.host("esx-0").config.sharedPassthruGpuTypes) == ["grid_a100-20c"]
    there.clone("vm-2", with_gpus(vgpu("grid_a100-20c")), powerOn=True)
    assert list(there.host("esx-0").config.sharedPassthruGpuTypes) == []


def test_in_mig_mode_only_instances_run_and_only_where_the_geometry_has_room(start: Start) -> None:
    there = start(LabCards(model=A100, mig=True))
    assert refusal(lambda: there.clone("sliced", with_gpus(vgpu("grid_a100-20c")), powerOn=True)) == FULL
    for number in range(2):
        there.clone(f"half-{number}", with_gpus(vgpu("grid_a100-3-20c")), powerOn=True)
    assert refusal(lambda: there.clone("seventh", with_gpus(vgpu("grid_a100-1-5c")), powerOn=True)) == FULL


def test_profiles_of_mig_are_listed_also_while_it_is_off(start: Start) -> None:
    there = start()
    (cluster,) = there.all(vim.ClusterComputeResource)
    target = cluster.environmentBrowser.QueryConfigTarget(there.host("esx-0"))
    assert "grid_a100-3-20c" in [profile.profileName for profile in target.vgpuProfileInfo]
    assert "grid_a100-3-20c" not in [profile.vgpu for profile in target.sharedGpuPassthroughTypes]


def test_all_memory_must_be_reserved(start: Start) -> None:
    there = start()
    vm = there.clone("vm", with_gpus(vgpu(), memoryReservationLockedToMax=False))
    assert refusal(lambda: there.place_and_start(vm)) == (
        "GenericVmConfigFault",
        "Invalid memory setting: memory reservation (sched.mem.min) should be equal to memsize(16384).",
    )


def test_the_bars_must_fit_into_64_bit_mmio_space(start: Start) -> None:
    there = start(LabCards(model=A100, mode="passthrough"))
    vm = there.clone("vm", with_gpus(dynamic()))
    done(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options({"pciPassthru.64bitMMIOSizeGB": "32"}))))
    assert refusal(lambda: there.place_and_start(vm)) == (
        "GenericVmConfigFault",
        "PCIPassthru: total number of pages needed exceeds limit.",
    )


def test_dynamic_passthrough_goes_by_ids_and_label_and_tells_the_card(start: Start) -> None:
    there = start(LabCards(model=A100, mode="passthrough", label="gpu-a100"))
    other = there.clone("other", with_gpus(dynamic("gpu-h100")))
    assert on_each_host(lambda: there.place_and_start(other)) == {
        (
            "InsufficientResourcesFault",
            "Insufficient resources. One or more devices (pciPassthru0) required by VM other are not available on host esx-0.",
        )
    }
    vm = there.clone("vm", with_gpus(dynamic("gpu-a100")))
    there.place_and_start(vm)
    assert [device.backing.assignedId for device in devices(vm)] == ["0000:10:00.0"]
    assert [one.vm.name for one in there.host("esx-0").config.assignableHardwareBinding] == ["vm"]


def test_static_passthrough_is_pinned_to_a_card_that_is_active(start: Start) -> None:
    there = start(LabCards(model=A100, mode="passthrough"), host={"reboot_pending": True})
    host = there.host("esx-0")
    (state,) = host.config.pciPassthruInfo
    assert (state.passthruEnabled, state.passthruActive, host.summary.rebootRequired) == (True, False, True)
    there.control("/hosts/reboot", {"host": "esx-0"})
    (cluster,) = there.all(vim.ClusterComputeResource)
    (found,) = cluster.environmentBrowser.QueryConfigTarget(host).pciPassthrough
    backing = Pci.DeviceBackingInfo(
        deviceName="A100", id=found.pciDevice.id, deviceId="20f1", systemId=found.systemId, vendorId=0x10DE
    )
    first, second = (there.clone(name, with_gpus(backing)) for name in ("first", "second"))
    done(first.PowerOnVM_Task())
    assert refusal(lambda: done(second.PowerOnVM_Task())) == (
        "GenericVmConfigFault",
        "Device 16:0.0 is already in use.",
    )
    there.fault("reboot-pending", "esx-0")
    done(first.PowerOffVM_Task())
    assert refusal(lambda: done(second.PowerOnVM_Task())) == (
        "GenericVmConfigFault",
        "Device 16:0.0 is not a passthrough device.",
    )


def test_a_device_group_brings_its_devices_and_starts_where_it_is_offered(start: Start) -> None:
    name = "Nvidia:2@grid_a100-40c%NVLink"
    there = start(host={"groups": ({"name": name, "profiles": ("grid_a100-40c", "grid_a100-40c")},)})
    groups = vim.vm.VirtualDeviceGroups(
        deviceGroup=[vim.vm.VirtualDeviceGroups.VendorDeviceGroup(groupInstanceKey=1, deviceGroupName=name)]
    )
    vm = there.clone("vm", with_gpus(deviceGroups=groups))
    assert [device.backing.vgpu for device in devices(vm)] == ["grid_a100-40c", "grid_a100-40c"]
    there.place_and_start(vm)
    assert [[one.name for one in card.vm] for card in there.host("esx-0").config.graphicsInfo] == [["vm"], ["vm"]]
    groups.deviceGroup[0].deviceGroupName = "Nvidia:4@grid_a100-40c%NVLink"
    other = there.clone("other", with_gpus(deviceGroups=groups))
    assert {kind for kind, _ in on_each_host(lambda: there.place_and_start(other))} == {"InsufficientResourcesFault"}


def test_vgpus_need_an_edition_that_includes_them(start: Start) -> None:
    there = start(license="VMware vSphere 8 Standard")
    vm = there.clone("vm", with_gpus(vgpu()))
    assert refusal(lambda: done(vm.PowerOnVM_Task())) == (
        "LicenseRestricted",
        "License not available to perform the operation. The feature 'vGPU' is not licensed with this edition.",
    )


def test_drs_goes_where_there_is_room_and_only_recommends_in_a_manual_cluster(start: Start) -> None:
    drs = {"enabled": True, "behavior": "manual", "options": {}}
    hosts = {
        "large": LabEsxHosts(memory="2TiB", cards=()),
        "gpu": LabEsxHosts(cards=(LabCards(model=A100),)),
    }
    there = start(dc={"clusters": {"gpu": LabEsxCluster(drs=drs, hosts=hosts)}})
    vm = there.clone("vm", with_gpus(vgpu()))
    (datacenter,) = there.all(vim.Datacenter)
    told = done(datacenter.PowerOnMultiVM_Task([vm]))
    assert (len(told.recommendations), len(told.attempted), vm.runtime.powerState) == (1, 0, "poweredOff")
    assert refusal(lambda: done(vm.PowerOnVM_Task())) == FULL
    assert there.place_and_start(vm) == "gpu-0"


def test_nothing_starts_on_a_host_in_maintenance(start: Start) -> None:
    there = start(host={"maintenance": True})
    vm = there.clone("vm", with_gpus(vgpu()))
    assert on_each_host(lambda: there.place_and_start(vm)) == {
        ("InvalidHostState", "The operation is not allowed in the current state of the host.")
    }
