"""Preflights of the place of a template and of its source, and of DRS.

Each test breaks one thing of a good world and reads the sentence: what was read | needed | way out | source.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiinfra.domains.vsphere.reading.observed import MissingPrivilege
from tests.unit.vsphere.worlds import NO, RHCOS, SSD, VGPU, Break, changed, cluster, shared, told, world

BREAKS: dict[str, Break] = {
    "DRS off": (
        lambda: world(cluster=cluster(shared(), drs_enabled=False)),
        VGPU,
        "error cluster gpu: off | DRS on: it finds the host that has the GPUs free | switch DRS on, "
        "or name a host with static_passthrough | vSphere Web Services API 8.0.3: "
        "Datacenter.PowerOnMultiVM",
    ),
    "DRS automation": (
        lambda: world(cluster=cluster(shared(), drs_behavior="manual")),
        VGPU,
        "warning cluster gpu: on, manual | DRS on: it finds the host that has the GPUs free | set it "
        "to fully automated, or place each VM by hand; machine sets override it at power-on | vSphere "
        "Web Services API 8.0.3: Datacenter.PowerOnMultiVM",
    ),
    "DRS cannot be read": (
        lambda: world(cluster=cluster(shared(), drs_enabled=None, unread={"drs_enabled": NO})),
        VGPU,
        "unknown cluster gpu: no permission System.Read | DRS on: it finds the host that has the GPUs "
        "free | look at DRS of the cluster in vCenter | vSphere Web Services API 8.0.3: "
        "Datacenter.PowerOnMultiVM",
    ),
    "evacuation, setting of the vCenter": (
        lambda: world(settings={}),
        VGPU,
        "warning cluster gpu: vgpu.hotmigrate.enabled=not set, VgpuMMAutomationTimeoutSecs=-1 | vGPU "
        "VMs leave a host that enters maintenance | set both (VgpuMMAutomationTimeoutSecs=-1), or "
        "drain and power off such VMs by hand | Broadcom KB 88271",
    ),
    "evacuation, option of DRS": (
        lambda: world(cluster=cluster(shared(), drs_options={})),
        VGPU,
        "warning cluster gpu: vgpu.hotmigrate.enabled=true, VgpuMMAutomationTimeoutSecs=not set | "
        "vGPU VMs leave a host that enters maintenance | set both (VgpuMMAutomationTimeoutSecs=-1), "
        "or drain and power off such VMs by hand | Broadcom KB 88271",
    ),
    "evacuation cannot be read": (
        lambda: world(settings={}, unread={"settings": NO}),
        VGPU,
        "unknown cluster gpu: no permission System.Read | vGPU VMs leave a host that enters "
        "maintenance | look at vgpu.hotmigrate.enabled in the vCenter's advanced settings | Broadcom "
        "KB 88271",
    ),
    "privilege": (
        lambda: world(
            missing_privileges=(
                MissingPrivilege("VirtualMachine.Config.Resource", "/dc1/vm/t", "reserving all of its memory"),
            )
        ),
        VGPU,
        "error /dc1/vm/t: lacks VirtualMachine.Config.Resource | reserving all of its memory | give "
        "the account a role with VirtualMachine.Config.Resource | vSphere Web Services API 8.0.3: "
        "required privileges of its methods",
    ),
    "privileges cannot be asked": (
        lambda: world(missing_privileges=None),
        VGPU,
        "unknown vc.dc1.example: vCenter does not tell it | every privilege that a template takes | "
        "ask the vCenter's administrator which the account has | vSphere Web Services API 8.0.3: "
        "required privileges of its methods",
    ),
    "folder": (
        lambda: world(folder=None, unread={"folder": "/dc1/vm/nix does not exist"}),
        VGPU,
        "error vc.dc1.example: /dc1/vm/nix does not exist | a folder for templates | make it, or name "
        "one that exists | vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "resource pool": (
        lambda: world(resource_pool=None, unread={"resource_pool": "/dc1/host/gpu/Resources/nix does not exist"}),
        changed(VGPU, place={**VGPU.dump()["place"], "resource_pool": "nix"}),
        "error vc.dc1.example: /dc1/host/gpu/Resources/nix does not exist | a resource pool of the cluster, which VMs "
        "are placed in | make it, or name one that exists | vSphere Web Services API 8.0.3: "
        "VirtualMachineRelocateSpec.pool",
    ),
    "datastore": (
        lambda: world(datastore=None, unread={"datastore": "/dc1/datastore/hdd does not exist"}),
        VGPU,
        "error vc.dc1.example: /dc1/datastore/hdd does not exist | a datastore | name one that exists "
        "| vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "datastore space": (
        lambda: world(datastore=replace(SSD, free_mib=8192)),
        VGPU,
        "error /dc1/datastore/ssd: 8 GiB free | 16 GiB for the source's disks | free space, or name "
        "another datastore | vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "datastore space cannot be read": (
        lambda: world(datastore=replace(SSD, free_mib=None, unread={"free_mib": NO})),
        VGPU,
        "unknown /dc1/datastore/ssd: no permission System.Read | 16 GiB for the source's disks | let "
        "the account read it | vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "datastore not accessible": (
        lambda: world(datastore=replace(SSD, accessible=False)),
        VGPU,
        "error /dc1/datastore/ssd: not accessible | accessible | make it accessible, or name another "
        "| vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "datastore in maintenance": (
        lambda: world(datastore=replace(SSD, maintenance=True)),
        VGPU,
        "error /dc1/datastore/ssd: in maintenance mode | accessible | make it accessible, or name "
        "another | vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "datastore accessibility cannot be read": (
        lambda: world(datastore=replace(SSD, accessible=None, unread={"accessible": NO})),
        VGPU,
        "unknown /dc1/datastore/ssd: no permission System.Read | accessible | let the account read it "
        "| vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "datastore not mounted": (
        lambda: world(shared(datastores=())),
        VGPU,
        "warning /dc1/datastore/ssd: not mounted by esx-01 | mounted by every host: a clone starts "
        "where its disks are | mount it there | vSphere Web Services API 8.0.3: "
        "VirtualMachine.CloneVM_Task",
    ),
    "source": (
        lambda: world(source=None, unread={"source": "/dc1/vm/templates/rhcos does not exist"}),
        VGPU,
        "error vc.dc1.example: /dc1/vm/templates/rhcos does not exist | a VM or template | name one "
        "that exists: its inventory path | openshift/machine-api-operator "
        "pkg/controller/vsphere/reconciler.go",
    ),
    "source with two disks": (
        lambda: world(source=replace(RHCOS, disk_mib=(1, 2))),
        VGPU,
        "error /dc1/vm/templates/rhcos: 2 disks | one disk, as a machine set resizes it | take an "
        "image with one disk | openshift/machine-api-operator pkg/controller/vsphere/reconciler.go",
    ),
    "source with a snapshot": (
        lambda: world(source=replace(RHCOS, snapshots=1)),
        VGPU,
        "error /dc1/vm/templates/rhcos: 1 snapshot | none: a full clone of it must be whole | delete "
        "its snapshots | openshift/machine-api-operator pkg/controller/vsphere/reconciler.go",
    ),
    "source that runs": (
        lambda: world(source=replace(RHCOS, powered_on=True, is_template=False)),
        VGPU,
        "error /dc1/vm/templates/rhcos: powered on | powered off, so that its disk is whole | power "
        "it off, or make a template of it | vSphere Web Services API 8.0.3: "
        "VirtualMachine.CloneVM_Task",
    ),
    "source that is not connected": (
        lambda: world(source=replace(RHCOS, connected=False)),
        VGPU,
        "error /dc1/vm/templates/rhcos: not connected | a VM that vCenter can read | reconnect it | "
        "vSphere Web Services API 8.0.3: VirtualMachine.CloneVM_Task",
    ),
    "source without EFI": (
        lambda: world(source=replace(RHCOS, firmware="bios")),
        VGPU,
        "warning /dc1/vm/templates/rhcos: firmware bios | EFI, which the template is set to | take an "
        "image that boots by EFI; RHCOS boots either way, other guests may not | "
        "coreos/coreos-assembler PR 2762",
    ),
    "guest of the source": (
        lambda: world(source=replace(RHCOS, guest_id="rhel5Guest")),
        VGPU,
        "warning /dc1/vm/templates/rhcos: guest rhel5Guest | a guest of 64 bits: the memory of GPUs "
        "is mapped above 4 GiB | set its guest OS, or take another image | vSphere Web Services API "
        "8.0.3: VirtualMachineGuestOsIdentifier",
    ),
    "hardware version of the source cannot be read": (
        lambda: world(source=replace(RHCOS, hardware_version=None, unread={"hardware_version": NO})),
        VGPU,
        "unknown /dc1/vm/templates/rhcos: no permission System.Read | its hardware version | let the "
        "account read it | openshift/machine-api-operator pkg/controller/vsphere/reconciler.go",
    ),
    "guest of the source cannot be read": (
        lambda: world(source=replace(RHCOS, guest_id=None, unread={"guest_id": NO})),
        VGPU,
        "unknown /dc1/vm/templates/rhcos: no permission System.Read | its guest | let the account "
        "read it | openshift/machine-api-operator pkg/controller/vsphere/reconciler.go",
    ),
    "disks of the source cannot be read": (
        lambda: world(source=replace(RHCOS, disk_mib=None, unread={"disk_mib": NO})),
        VGPU,
        "unknown /dc1/vm/templates/rhcos: no permission System.Read | its disks | let the account "
        "read it | openshift/machine-api-operator pkg/controller/vsphere/reconciler.go",
    ),
}


@pytest.mark.parametrize("phrase", BREAKS)
def test_one_thing_is_broken(phrase: str) -> None:
    broken, wanted, says = BREAKS[phrase]
    assert says in told(broken(), wanted)
