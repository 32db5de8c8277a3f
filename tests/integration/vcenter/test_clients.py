"""What govc, Terraform, openshift-install and OpenShift's machine controllers do first in a vCenter."""

from __future__ import annotations

import pytest
from pyVmomi import vim, vmodl

from tests.integration.vcenter.client import done, refusal
from tests.integration.vcenter.conftest import Start


def test_a_vm_is_found_by_each_of_its_uuids(start: Start) -> None:
    there = start()
    vm = there.clone("vm")
    index = there.content.searchIndex
    assert index.FindByUuid(None, vm.config.instanceUuid, True, True) == vm
    assert index.FindByUuid(None, vm.config.uuid, True, False) == vm
    assert index.FindByUuid(None, vm.config.uuid, True) == vm
    assert index.FindByUuid(None, vm.config.uuid, True, True) is None
    assert list(index.FindAllByUuid(None, vm.config.uuid, True, False)) == [vm]


def test_a_host_is_found_by_its_uuid_and_nothing_by_none(start: Start) -> None:
    there = start()
    index, host = there.content.searchIndex, there.host("esx-0")
    assert index.FindByUuid(None, host.hardware.systemInfo.uuid, False) == host
    assert index.FindByUuid(None, host.hardware.systemInfo.uuid, True) is None
    assert index.FindByUuid(None, "00000000-0000-0000-0000-000000000000", True, True) is None


def test_a_bug_of_the_simulator_is_told_as_one_and_hinders_nobody(start: Start) -> None:
    there = start()
    vm = there.clone("vm")
    without_device = vim.vm.ConfigSpec(deviceChange=[vim.vm.device.VirtualDeviceSpec(operation="add")])
    name, message = refusal(lambda: done(vm.ReconfigVM_Task(without_device)))
    assert (name, message.split(": runtime error")[0]) == (
        "SystemError",
        "This is a bug of the simulated vCenter, not of its client: panic in ReconfigVM_Task",
    )
    assert "configureDevices" in there.log.read_text()
    done(vm.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="still answers")))
    assert vm.config.annotation == "still answers"


def test_an_option_of_another_type_is_refused(start: Start) -> None:
    there = start()
    (datacenter,) = there.all(vim.Datacenter)
    wrong = vim.option.OptionValue(key="OverrideAutomationLevel", value=1)
    with pytest.raises(vmodl.fault.InvalidArgument):
        datacenter.PowerOnMultiVM_Task([there.clone("vm")], [wrong])


def test_tasks_have_the_ids_that_a_vcenter_describes(start: Start) -> None:
    there = start()
    vm = there.clone("vm")
    started = [vm.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="x")), vm.PowerOnVM_Task()]
    for task in started:
        done(task)
    ids = [task.info.descriptionId for task in started]
    assert ids == ["VirtualMachine.reconfigure", "VirtualMachine.powerOn"]
    described = {method.key for method in there.content.taskManager.description.methodInfo}
    assert set(ids) <= described
