"""What govc, Terraform, openshift-install and OpenShift's machine controllers do first in a vCenter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from pyVmomi import vim, vmodl

from tests.integration.vcenter.client import PASSWORD, USER, Simulator, done, refusal
from tests.integration.vcenter.conftest import Start

SESSION = "vmware-api-session-id"
REQUIRED = {
    "args": [],
    "default_message": "Authentication required.",
    "id": "com.vmware.vapi.endpoint.method.authentication.required",
}
OLD, NEW = "/rest/com/vmware/cis/session", "/api/session"
UNAUTHENTICATED: Mapping[str, Any] = {
    OLD: {"type": "com.vmware.vapi.std.errors.unauthenticated", "value": {"messages": [REQUIRED]}},
    NEW: {"error_type": "UNAUTHENTICATED", "messages": [REQUIRED]},
}


def rest(there: Simulator) -> httpx.Client:
    return httpx.Client(base_url=f"https://127.0.0.1:{there.ready['port']}", verify=False, trust_env=False)


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
    (disk,) = (device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk))
    disk.backing = None  # no client edits a disk so, and the simulator is not made for it
    without_backing = vim.vm.ConfigSpec(deviceChange=[vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)])
    name, message = refusal(lambda: done(vm.ReconfigVM_Task(without_backing)))
    assert (name, message.split(": interface conversion")[0]) == (
        "SystemError",
        "This is a bug of the simulated vCenter, not of its client: panic in ReconfigVM_Task",
    )
    assert ".resize(" in there.log.read_text()
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


@pytest.mark.parametrize("path", [OLD, NEW])
def test_a_rest_session_is_of_the_account_alone(start: Start, path: str) -> None:
    there = start()
    with rest(there) as client:
        refused = [client.post(path)] + [client.post(path, auth=who) for who in [(USER, "guess"), ("root", PASSWORD)]]
        assert [(one.status_code, one.json()) for one in refused] == [(401, UNAUTHENTICATED[path])] * 3
        assert client.get(path, headers={SESSION: "guess"}).status_code == 401
        assert client.post(path, headers={"Authorization": "SIGN token"}).status_code == 401


def test_a_session_by_the_old_path(start: Start) -> None:
    with rest(start()) as client:
        opened = client.post(OLD, auth=(USER, PASSWORD), headers={"vmware-use-header-authn": "true"})
        session = {SESSION: opened.json()["value"]}
        assert (opened.status_code, client.get(OLD, headers=session).json()["value"]["user"]) == (200, USER)
        assert client.post(OLD, params={"~action": "get"}, headers=session).json()["value"]["user"] == USER
        assert client.delete(OLD, headers=session).status_code == 200
        assert client.get(OLD, headers=session).status_code == 401


def test_a_session_by_the_new_path(start: Start) -> None:
    with rest(start()) as client:
        opened = client.post(NEW, auth=(USER, PASSWORD))
        session = {SESSION: opened.json()}
        assert (opened.status_code, opened.headers[SESSION]) == (201, opened.json())
        shown = client.get(NEW, headers=session)
        assert (shown.status_code, shown.json()["user"]) == (200, USER)
        assert client.delete(NEW, headers=session).status_code == 204
        assert client.get(NEW, headers=session).status_code == 401


def test_wrong_passwords_by_rest_and_soap_lock_the_account_together(start: Start) -> None:
    there = start()
    with rest(there) as client:
        for _ in range(3):
            client.post(NEW, auth=(USER, "guess"))
        for _ in range(2):
            refusal(lambda: there.connect(password="guess"))
        assert client.post(NEW, auth=(USER, PASSWORD)).status_code == 401
    assert refusal(there.connect) == ("InvalidLogin", "User account is locked. Please contact your administrator.")


def test_a_rest_session_expires_with_those_of_soap(start: Start) -> None:
    there = start()
    with rest(there) as client:
        session = {SESSION: client.post(NEW, auth=(USER, PASSWORD)).json()}
        there.fault("vcenter-session-expired")
        assert client.get(NEW, headers=session).status_code == 401


def test_tags_are_attached_to_vms(start: Start) -> None:
    there = start()
    vm = there.clone("vm")
    tagging = "/rest/com/vmware/cis/tagging"
    with rest(there) as client:
        category = {"create_spec": {"name": "cluster", "cardinality": "SINGLE", "associable_types": ["VirtualMachine"]}}
        assert client.post(f"{tagging}/category", json=category).status_code == 401
        client.headers[SESSION] = client.post(NEW, auth=(USER, PASSWORD)).json()
        cluster = client.post(f"{tagging}/category", json=category).json()["value"]
        tag = {"create_spec": {"name": "c1", "category_id": cluster}}
        made = client.post(f"{tagging}/tag", json=tag).json()["value"]
        entity = {"object_id": {"type": "VirtualMachine", "id": vm._moId}}
        association = f"{tagging}/tag-association"
        attached = client.post(f"{association}/id:{made}", params={"~action": "attach"}, json=entity)
        assert attached.status_code == 200
        tags = client.post(association, params={"~action": "list-attached-tags"}, json=entity)
        assert tags.json()["value"] == [made]


def test_what_rest_cannot_do_here_is_not_found(start: Start) -> None:
    there = start()
    with rest(there) as client:
        client.headers[SESSION] = client.post(NEW, auth=(USER, PASSWORD)).json()
        assert client.get("/api/vcenter/vm").status_code == 404
        assert client.post("/api", json={}).status_code == 404
    assert "has no REST method GET /api/vcenter/vm" in there.log.read_text()
