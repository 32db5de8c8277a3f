"""Why a VM with GPUs does not start: each refusal of the lab's vCenter, with the fault of a real one, as it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.vsphere.client.errors import NotStarted
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.reading.inventory import find, walk
from aiinfra.domains.vsphere.reading.sites import read_sites
from aiinfra.domains.vsphere.template.power_on import PLACED_BY_DRS
from tests.integration.vcenter.client import Pci, dynamic, options, vgpu, with_gpus
from tests.integration.vsphere.conftest import Opened
from tests.integration.vsphere.world import WANTED, card, cluster, host, passed, running, vm, world

WORKER = "/dc1/vm/running/worker"
NOT = f"{WORKER} was not powered on: "
SMALL_MMIO = options({"pciPassthru.64bitMMIOSizeGB": "32", "pciPassthru.use64bitMMIO": "TRUE"})


@dataclass(frozen=True)
class Case:
    """A VM with GPUs in a world in which one thing is wrong."""

    code: str
    why: str
    hint: str
    device: Callable[[], Any] = vgpu
    """Backing of its GPU."""
    card: Mapping[str, Any] = field(default_factory=card)
    host: Mapping[str, Any] = field(default_factory=dict)
    vms: tuple[Mapping[str, Any], ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    """Of the VM, in place of what is right."""
    fault: str = ""


def runs(profile: str) -> Mapping[str, Any]:
    return vm("other", folder="running", host="esx-01", poweredOn=True, gpus=[profile])


def static() -> Any:
    return Pci.DeviceBackingInfo(deviceName="A100", id="0000:3b:00.0", deviceId="20f1", systemId="", vendorId=0x10DE)


FULL = "esx-01: no card takes its vGPU: they are full, hold vGPUs of another size, or are not in Shared Direct mode"
SHARE = "free a card, or use the profile that runs there: aiinfra doctor ENV shows what each card can start"
CASES = {
    "memory that is not reserved": Case(
        "vsphere.memory_not_reserved",
        "not all of its memory is reserved, and a GPU device needs all of it",
        "aiinfra up ENV --refresh repairs a template that was changed by hand",
        config={"memoryReservationLockedToMax": False},
    ),
    "MMIO space that is too small": Case(
        "vsphere.mmio",
        "its 64-bit MMIO space is too small for its GPUs",
        "raise pciPassthru.64bitMMIOSizeGB, and switch Above 4G Decoding on in the firmware of the host",
        dynamic,
        passed(),
        config={"extraConfig": SMALL_MMIO},
    ),
    "a profile that no host has": Case("vsphere.capacity", FULL, SHARE, lambda: vgpu("grid_l40s-24c")),
    "a profile that is offered no more": Case("vsphere.capacity", FULL, SHARE, fault="profile-missing"),
    "a vGPU of another size on the card": Case("vsphere.capacity", FULL, SHARE, vms=(runs("grid_a100-5c"),)),
    "a card that is not active for passthrough": Case(
        "vsphere.passthrough",
        "esx-01: its device is not active for passthrough on the host",
        "reboot the host if passthrough was just switched on; aiinfra doctor ENV shows the state of each card",
        static,
        passed(),
        fault="reboot-pending",
    ),
    "no card that is active for passthrough": Case(
        "vsphere.capacity",
        "esx-01: no card that it may have is free",
        "free a card: aiinfra doctor ENV shows who uses them",
        dynamic,
        passed(),
        fault="reboot-pending",
    ),
    "a vGPU manager of another branch": Case(
        "vsphere.vgpu_plugin",
        "esx-01: the vGPU manager of the host could not start its vGPU",
        "aiinfra doctor ENV shows whether the vGPU manager fits; else vmware.log of the VM says why",
        fault="vib-mismatch",
    ),
    "an edition without vGPU": Case(
        "vsphere.licence",
        "esx-01: the licence edition of the host does not allow GPU devices",
        "assign vSphere Enterprise Plus, or an edition that includes vGPU, to the host",
        host={"license": "VMware vSphere 8 Standard"},
    ),
    "a host whose memory is full": Case(
        "vsphere.memory",
        "esx-01: not enough memory is free to be reserved for it",
        "free memory on the hosts, or give the VM less",
        host={"memoryMib": 8192},
    ),
    "a host in maintenance": Case(
        "vsphere.power_on",
        "esx-01: The operation is not allowed in the current state of the host",
        "aiinfra doctor ENV shows each host",
        host={"maintenance": True},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_told_by_its_cause(name: str, program: Path, opened: Opened) -> None:
    case = CASES[name]
    own = host("esx-01", case.card, **case.host)
    with running(program, world([cluster("gpu", own)], [vm("worker", folder="running"), *case.vms])) as started:
        vcenter = opened(started.access())
        read_sites(vcenter, [WANTED])
        configure(vcenter, case)
        started.fault(case.fault)
        assert refused(vcenter) == (case.code, NOT + case.why, case.hint)


def configure(vcenter: VCenter, case: Case) -> None:
    """All that GPUs need, but for what the case has in its place."""
    backing = case.device()
    if isinstance(backing, Pci.DeviceBackingInfo):
        backing.systemId = system_id(vcenter)
    spec = with_gpus(backing, **case.config)
    finish(vcenter, find(vcenter, WORKER).ReconfigVM_Task(spec), "configuring", WORKER)


def system_id(vcenter: VCenter) -> str:
    (found,) = walk(vcenter, {"ClusterComputeResource": ["environmentBrowser"]})["ClusterComputeResource"]
    (offered,) = found.row.get("environmentBrowser").QueryConfigTarget(None).pciPassthrough
    return str(offered.systemId)


def refused(vcenter: VCenter) -> tuple[str, str, str]:
    """Code, sentence and way out of the refusal to start it by placement."""
    with pytest.raises(NotStarted) as caught:
        task = find(vcenter, "/dc1").PowerOnMultiVM_Task([find(vcenter, WORKER)], [PLACED_BY_DRS])
        told = finish(vcenter, task, "placing", WORKER, powering=True)
        for one in told.notAttempted:
            raise vcenter.refusal(one.fault, WORKER, powering=True)
        finish(vcenter, told.attempted[0].task, "powering on", WORKER, powering=True)
    record = caught.value.record
    return record.code, record.message, record.hint
