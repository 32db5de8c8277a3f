"""What clones, templates and changes of VMs are in a vCenter, and what VMware's simulator makes of them is not."""

from __future__ import annotations

from typing import Any

from pyVim.task import WaitForTask
from pyVmomi import vim

from aiinfra.domains.vsphere.lab.block import LabDatacenter, LabDatastore, LabEsxCluster, LabEsxHosts, LabVm
from tests.integration.vcenter.client import devices, done, dynamic, options, refusal, vgpu, with_gpus
from tests.integration.vcenter.conftest import SOURCE, Start


def test_a_clone_has_all_that_its_source_has(start: Start) -> None:
    there = start()
    source = there.clone(
        "source",
        with_gpus(
            vgpu(), annotation="made", flags=vim.vm.FlagInfo(diskUuidEnabled=True), numCPUs=8, numCoresPerSocket=4
        ),
    )
    clone = there.clone("clone", source=source)
    config = clone.config
    assert (config.firmware, config.annotation, config.flags.diskUuidEnabled) == ("efi", "made", True)
    assert (config.hardware.numCPU, config.hardware.numCoresPerSocket, config.hardware.memoryMB) == (8, 4, 16384)
    assert (config.memoryReservationLockedToMax, config.memoryAllocation.reservation) == (True, 16384)
    assert {option.key: option.value for option in config.extraConfig}["pciPassthru.64bitMMIOSizeGB"] == "512"
    assert config.uuid != source.config.uuid


def test_a_device_that_is_passed_through_hangs_on_the_pci_controller(start: Start) -> None:
    vm = start().clone("vm", with_gpus(vgpu(), vgpu()))
    told = [(one.key, one.controllerKey, one.unitNumber, one.deviceInfo.label) for one in devices(vm)]
    assert told == [(13000, 100, 22, "PCI device 0"), (13001, 100, 23, "PCI device 1")]


def test_whole_runtime_and_names_of_tasks_can_be_read(start: Start) -> None:
    there = start()
    assert there.template.runtime.faultToleranceState == "notConfigured"
    task = there.template.CloneVM_Task(
        folder=there.template.parent,
        name="vm",
        spec=vim.vm.CloneSpec(
            location=vim.vm.RelocateSpec(pool=there.all(vim.ClusterComputeResource)[0].resourcePool),
            powerOn=False,
            template=False,
        ),
    )
    assert WaitForTask(task) == "success"
    assert task.info.name.info.wsdlName == "CloneVM_Task"
    assert there.template.resourcePool is None


def test_a_template_changes_in_name_and_notes_only(start: Start) -> None:
    there = start()
    done(there.template.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="for GPUs")))
    assert refusal(lambda: done(there.template.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=8)))) == (
        "NotSupported",
        "The operation is not supported on the object.",
    )


def test_what_runs_is_no_template(start: Start) -> None:
    there = start()
    vm = there.clone("vm", powerOn=True)
    assert refusal(vm.MarkAsTemplate) == (
        "InvalidPowerState",
        "The attempted operation cannot be performed in the current state (Powered on).",
    )


def test_names_are_unique_short_and_have_no_slash(start: Start) -> None:
    there = start()
    there.clone("vm")
    assert refusal(lambda: there.clone("vm")) == ("DuplicateName", "The name 'vm' already exists.")
    assert refusal(lambda: there.clone("a/b")) == ("InvalidName", "The name 'a/b' is invalid.")
    assert refusal(lambda: there.clone("n" * 81))[0] == "InvalidName"


def test_dynamic_passthrough_needs_hardware_version_17(start: Start) -> None:
    old = start(dc={"vms": {"rhcos": SOURCE.model_copy(update={"hardware_version": 15})}})
    assert refusal(lambda: old.clone("vm", with_gpus(dynamic())))[0] == "DeviceUnsupportedForVmVersion"


def test_devices_memory_and_processors_stay_while_a_vm_runs(start: Start) -> None:
    vm = start().clone("vm", powerOn=True)
    assert refusal(lambda: done(vm.ReconfigVM_Task(with_gpus(vgpu()))))[0] == "InvalidPowerState"
    assert (
        refusal(lambda: done(vm.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=32768))))[0] == "MemoryHotPlugNotSupported"
    )
    assert refusal(lambda: done(vm.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=16))))[0] == "CpuHotPlugNotSupported"


def test_hardware_versions_only_grow_and_no_further_than_the_host_s(start: Start) -> None:
    vm = start().clone("vm")
    assert refusal(lambda: done(vm.UpgradeVM_Task("vmx-twenty")))[0] == "InvalidArgument"
    assert refusal(lambda: done(vm.UpgradeVM_Task("vmx-17")))[0] == "AlreadyUpgraded"
    assert refusal(lambda: done(vm.UpgradeVM_Task("vmx-22")))[0] == "NotSupported"
    done(vm.UpgradeVM_Task("vmx-21"))
    assert vm.config.version == "vmx-21"


def test_an_option_without_value_is_taken_away(start: Start) -> None:
    vm = start().clone("vm", with_gpus(vgpu()))
    done(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options({"pciPassthru.64bitMMIOSizeGB": ""}))))
    assert [option.key for option in vm.config.extraConfig] == ["pciPassthru.use64bitMMIO"]


def test_disks_take_their_size_from_the_datastore_until_it_is_full(start: Start) -> None:
    there = start()
    (store,) = there.all(vim.Datastore)
    free = store.summary.freeSpace
    vm = there.clone("vm-0")
    assert free - store.summary.freeSpace == 16 << 30
    for number in range(1, 5):
        there.clone(f"vm-{number}")
    assert refusal(lambda: there.clone("vm-5")) == ("NoDiskSpace", "Insufficient disk space on datastore 'ssd'.")
    done(vm.Destroy_Task())
    there.clone("vm-5")


def test_a_linked_clone_needs_a_snapshot_and_then_its_parent_s_disk(start: Start) -> None:
    there = start(dc={"vms": {"rhcos": SOURCE, "base": LabVm(folder="templates", snapshots=1)}})
    linked = {"place": {"diskMoveType": "createNewChildDiskBacking"}}
    assert refusal(lambda: there.clone("linked", **linked)) == (
        "InvalidArgument",
        "A specified parameter was not correct: spec.snapshot",
    )
    base = there.find("/dc1/vm/templates/base")
    clone = there.clone("linked", source=base, snapshot=base.snapshot.currentSnapshot, **linked)
    done(base.Destroy_Task())
    assert refusal(lambda: done(clone.PowerOnVM_Task())) == (
        "FileNotFound",
        "File [ssd] base/base.vmdk was not found",
    )


def test_folders_of_every_kind_and_nested_pools_stand_where_they_are_described(start: Start) -> None:
    parts: dict[str, Any] = {
        "clusters": {
            "prod/gpu": LabEsxCluster(pools=("team-a/training", "team-b"), hosts={"esx": LabEsxHosts(cards=())}),
            "test/gpu": LabEsxCluster(hosts={"old": LabEsxHosts(cards=())}),
        },
        "datastores": {"fast/ssd": LabDatastore(), "hdd": LabDatastore()},
        "folders": ("team/templates",),
        "vms": {"images/rhcos": LabVm(template=True, datastore="fast/ssd"), "rhcos": LabVm(folder="team")},
    }
    there = start(datacenters={"europe/a%2fb/dc1": LabDatacenter(**parts), "dc1": LabDatacenter(**parts)})
    for top in ("/europe/a%2fb/dc1", "/dc1"):
        for path, kind in {
            "": vim.Datacenter,
            "/host/prod": vim.Folder,
            "/host/prod/gpu": vim.ClusterComputeResource,
            "/host/test/gpu": vim.ClusterComputeResource,
            "/host/prod/gpu/esx-0": vim.HostSystem,
            "/host/prod/gpu/Resources/team-a/training": vim.ResourcePool,
            "/datastore/fast/ssd": vim.Datastore,
            "/datastore/hdd": vim.Datastore,
            "/vm/team/templates": vim.Folder,
            "/vm/team/rhcos": vim.VirtualMachine,
            "/vm/images/rhcos": vim.VirtualMachine,
        }.items():
            assert isinstance(there.find(f"{top}{path}"), kind), f"{top}{path}"
    pool = there.find("/dc1/host/prod/gpu/Resources/team-a/training")
    assert (pool.name, pool.summary.name, pool.parent.name, pool.owner.name) == (
        "training",
        "training",
        "team-a",
        "gpu",
    )
    where = vim.vm.RelocateSpec(pool=pool, datastore=there.find("/dc1/datastore/fast/ssd"))
    spec = vim.vm.CloneSpec(location=where, powerOn=True, template=False)
    source, into = there.find("/dc1/vm/images/rhcos"), there.find("/dc1/vm/team/templates")
    made = done(source.CloneVM_Task(folder=into, name="clone", spec=spec))
    assert (made.resourcePool, made.runtime.host.name, list(pool.vm)) == (pool, "esx-0", [made])
    assert [one.name for one in made.datastore] == ["ssd"]
    assert there.find("/dc1/vm/team/templates/clone") == made
    assert list(there.find("/dc1/host/prod/gpu/Resources/team-a").vm) == []
    done(made.PowerOffVM_Task())
    done(made.Destroy_Task())
    assert (list(pool.vm), list(into.childEntity)) == ([], [])


def test_a_folder_with_hosts_in_it_is_not_removed(start: Start) -> None:
    there = start(dc={"clusters": {"prod/gpu": LabEsxCluster(hosts={"esx": LabEsxHosts(cards=())})}})
    assert refusal(lambda: done(there.find("/dc1/host/prod").Destroy_Task()))[0] == "NotSupported"
    assert there.find("/dc1/host/prod/gpu/esx-0") is not None
