"""What is sent to a VM and read back, over the wire format of pyVmomi: nothing may be lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyVmomi import SoapAdapter, VmomiSupport, vim

from aiinfra.domains.vsphere.template.config_spec import configuring, keys_of, marking, settings_of
from aiinfra.domains.vsphere.template.content import DynamicPassthrough, StaticPassthrough, Vgpu, differences
from tests.unit.vsphere.test_content import OWNER, SPEC


def sent(spec: Any) -> Any:
    """The spec as a server of the newest API reads it."""
    newest = VmomiSupport.newestVersions.Get("vim")
    text = SoapAdapter.Serialize(spec, version=newest)
    return SoapAdapter.Deserialize(text, type(spec))


def row(spec: Any) -> Mapping[str, Any]:
    """A VM that was made of nothing but the spec."""
    return {
        "config.firmware": spec.firmware,
        "config.bootOptions.efiSecureBootEnabled": spec.bootOptions.efiSecureBootEnabled,
        "config.version": "vmx-19",
        "config.hardware.numCPU": spec.numCPUs,
        "config.hardware.numCoresPerSocket": spec.numCoresPerSocket,
        "config.hardware.memoryMB": spec.memoryMB,
        "config.hardware.device": [change.device for change in spec.deviceChange if change.operation == "add"],
        "config.memoryReservationLockedToMax": spec.memoryReservationLockedToMax,
        "config.memoryAllocation.reservation": spec.memoryAllocation.reservation,
        "config.cpuHotAddEnabled": spec.cpuHotAddEnabled,
        "config.memoryHotAddEnabled": spec.memoryHotAddEnabled,
        "config.flags.diskUuidEnabled": spec.flags.diskUuidEnabled,
        "config.extraConfig": spec.extraConfig,
    }


EVERY_DEVICE = (
    Vgpu("grid_a100-3-20c"),
    DynamicPassthrough(0x10DE, 0x20F1, "gpu-a100"),
    StaticPassthrough("0000:3b:00.0", 0x10DE, 0x9ABC, "5f1e", "NVIDIA A100"),
)


def test_every_field_and_device_comes_back_as_it_was_sent() -> None:
    want = replace(SPEC, devices=EVERY_DEVICE, extra_config={"pciPassthru.allowP2P": "true"})
    have = settings_of(row(sent(configuring(want, (), {"aiinfra.dev/step": "configured"}))))
    assert differences(want.settings(), have) == []


def test_device_groups_are_sent_where_the_api_has_them() -> None:
    want = replace(SPEC, devices=(), device_groups=("Nvidia:2@grid_a100-40c%NVLink",))
    assert configuring(want, (), {}).deviceGroups is None
    groups = sent(configuring(want, (), {}, groups=True)).deviceGroups
    assert settings_of({"config.deviceGroups": groups})["device groups"] == ("Nvidia:2@grid_a100-40c%NVLink",)


def test_new_devices_have_keys_of_their_own() -> None:
    changes = configuring(replace(SPEC, devices=EVERY_DEVICE), (), {}).deviceChange
    assert [change.device.key for change in changes] == [-200, -201, -202]


def test_gpus_that_are_there_are_taken_away_and_nothing_else() -> None:
    there = vim.vm.device.VirtualPCIPassthrough(key=13000)
    disk = vim.vm.device.VirtualDisk(key=2000)
    changes = configuring(SPEC, [disk, there], {}).deviceChange
    assert [(str(change.operation), change.device.key) for change in changes] == [("remove", 13000), ("add", -200)]


def test_a_label_that_an_old_api_lost_is_a_difference() -> None:
    """Below API 7.0 pyVmomi sends a dynamic device as its base type and says nothing."""
    want = replace(SPEC, devices=(DynamicPassthrough(0x10DE, 0x20F1, "gpu-a100"),))
    spec = configuring(want, (), {})
    backing = vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(deviceName="", id="", deviceId="0", vendorId=0)
    spec.deviceChange[0].device.backing = backing
    [one] = differences(want.settings(), settings_of(row(spec)))
    assert str(one) == (
        "GPU devices: is passthrough of  (0000:0000), should be passthrough of 10de:20f1 labelled gpu-a100"
    )


def test_a_clone_carries_the_marks_from_its_first_moment() -> None:
    spec = sent(marking(OWNER, {"aiinfra.dev/spec": SPEC.digest, "aiinfra.dev/step": "cloned"}))
    assert keys_of({"config.extraConfig": spec.extraConfig}) == {
        "aiinfra.dev/environment": "dc1",
        "aiinfra.dev/environment-id": "0123456789ab",
        "aiinfra.dev/stack": "template",
        "aiinfra.dev/spec": SPEC.digest,
        "aiinfra.dev/step": "cloned",
    }
    assert spec.annotation == "GPU template of stack template in environment dc1, made by aiinfra"
