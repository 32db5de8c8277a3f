"""Tasks that end, fail, hang, are stopped; and what is found by its mark or its path."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.properties import collect, one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.marks import MARK_NAME
from aiinfra.domains.vsphere.reading.inventory import MarkedVm, find, marked, path_of, walk
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID, MARK_STACK
from aiinfra.waiting import Stopped
from tests.integration.vsphere.conftest import Opened
from tests.integration.vsphere.fronts import Authority, front
from tests.integration.vsphere.world import Running, card, cluster, host, running, vm, world

SOURCE = "/dc1/vm/templates/rhcos"
MARKS = {MARK_ENVIRONMENT: "prod", MARK_ID: "e-1", MARK_STACK: "gpu"}


def named(name: str) -> dict[str, str]:
    """The marks of what was made with this name."""
    return {**MARKS, MARK_NAME: name}


@pytest.fixture
def own(program: Path) -> Iterator[Running]:
    """A vCenter that the test may change: a full card on one host, and VMs of two environments."""
    vms = [
        vm("mine", folder="templates", template=True, extraConfig=named("mine")),
        vm(
            "moved",
            folder="running",
            host="esx-01",
            poweredOn=True,
            extraConfig={**named("moved"), MARK_STACK: "other"},
        ),
        vm("another", folder="templates", extraConfig={**named("another"), MARK_ID: "e-2"}),
        vm("plain", folder="running", extraConfig=named("mine")),
        vm("user", folder="running", host="esx-01", poweredOn=True, gpus=["grid_a100-40c"]),
        vm("waits", folder="running", host="esx-01", gpus=["grid_a100-40c"]),
    ]
    with running(program, world([cluster("gpu", host("esx-01", card()))], vms)) as started:
        yield started


@pytest.fixture
def its(own: Running, opened: Opened) -> VCenter:
    return opened(own.access())


def cloning(vcenter: VCenter, name: str) -> Any:
    pool = walk(vcenter, {"ClusterComputeResource": ["resourcePool"]})["ClusterComputeResource"][0].row
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(pool=pool.get("resourcePool")), powerOn=False, template=False)
    folder = find(vcenter, "/dc1/vm/running")
    return found(vcenter, SOURCE).CloneVM_Task(folder=folder, name=name, spec=spec)


def found(vcenter: VCenter, path: str) -> Any:
    obj = find(vcenter, path)
    assert obj is not None
    return obj


def refused(vcenter: VCenter, task: Any, doing: str, about: str, **changes: Any) -> tuple[str, str]:
    with pytest.raises(VSphereError) as caught:
        finish(vcenter, task, doing, about, **changes)
    return caught.value.record.code, caught.value.record.message


def test_the_result_of_a_task_that_ends(its: VCenter, own: Running, said: list[str]) -> None:
    own.fault("slow", "CloneVM_Task:600")
    made = finish(its, cloning(its, "made"), "cloning", SOURCE)
    assert path_of(its, made) == "/dc1/vm/running/made"
    assert said[0].startswith(f"cloning {SOURCE}")


def test_a_task_that_fails_says_why(its: VCenter) -> None:
    assert refused(its, cloning(its, "plain"), "cloning", SOURCE) == (
        "vsphere.exists",
        "the name plain is taken already",
    )


def test_a_name_that_vcenter_refuses(its: VCenter) -> None:
    with pytest.raises(VSphereError) as caught:
        finish(its, cloning(its, "x" * 81), "cloning", SOURCE)
    assert caught.value.record.message == f"vCenter does not accept the name {'x' * 81}"


def test_a_clone_that_fails_halfway(its: VCenter, own: Running) -> None:
    own.fault("clone-fails-halfway", "")
    with pytest.raises(VSphereError) as caught:
        finish(its, cloning(its, "made"), "cloning", SOURCE)
    record = caught.value.record
    assert (record.message, record.hint) == (
        f"the host of {SOURCE} does not answer",
        "reconnect it in vCenter, then run again",
    )
    assert record.transient


def test_a_task_that_hangs_ends_in_a_sentence(its: VCenter, own: Running) -> None:
    own.fault("task-hangs", "CloneVM_Task")
    task = cloning(its, "made")
    code, message = refused(its, task, "cloning", SOURCE, limit=0.5)
    assert code == "vsphere.task_slow"
    assert message.startswith(f"cloning {SOURCE}")
    assert message.endswith("has not ended after 0.5 s")


def test_a_stop_cancels_the_task(its: VCenter, own: Running, stop: threading.Event) -> None:
    own.fault("task-hangs", "CloneVM_Task")
    task = cloning(its, "made")
    threading.Timer(0.4, stop.set).start()
    with pytest.raises(Stopped):
        finish(its, task, "cloning", SOURCE)
    again = its.reporting_to(threading.Event(), its.say)
    ended = one(again, task, ["info.state"])
    assert ended and ended.get("info.state") == "error"
    assert refused(again, task, "cloning", SOURCE) == (
        "vsphere.failed",
        f"the task on {SOURCE} was cancelled in vCenter",
    )


def test_a_step_hears_its_own_words(its: VCenter, own: Running, said: list[str]) -> None:
    own.fault("slow", "CloneVM_Task:400")
    heard: list[str] = []
    finish(its.reporting_to(threading.Event(), heard.append), cloning(its, "made"), "cloning", SOURCE)
    assert heard
    assert said == []


def test_a_vm_that_finds_no_room(its: VCenter) -> None:
    waits = found(its, "/dc1/vm/running/waits")
    code, message = refused(its, waits.PowerOnVM_Task(), "powering on", "/dc1/vm/running/waits", powering=True)
    assert (code, message) == (
        "vsphere.capacity",
        "/dc1/vm/running/waits was not powered on: no card takes its vGPU: "
        "they are full, hold vGPUs of another size, or are not in Shared Direct mode",
    )


def test_a_state_that_does_not_allow_it(its: VCenter) -> None:
    user = found(its, "/dc1/vm/running/user")
    assert refused(its, user.PowerOnVM_Task(), "powering on", "/dc1/vm/running/user", powering=True) == (
        "vsphere.failed",
        "/dc1/vm/running/user is poweredOn, which does not allow this",
    )


def test_no_permission_names_the_privilege_and_the_object(program: Path, opened: Opened) -> None:
    missing = [{"privilege": "VirtualMachine.Inventory.Delete", "path": "/dc1/vm/templates"}]
    with running(program, world(privileges={"missing": missing})) as started:
        vcenter = opened(started.access())
        source = found(vcenter, SOURCE)
        with pytest.raises(VSphereError) as caught:
            finish(vcenter, source.Destroy_Task(), "removing", SOURCE)
    record = caught.value.record
    assert (record.code, record.message, record.hint) == (
        "vsphere.privileges",
        f"the account lacks the privilege VirtualMachine.Inventory.Delete on {SOURCE}",
        f"add to a role that the account has there, in 127.0.0.1:{started.port}",
    )


def test_what_was_made_is_found_by_its_mark_wherever_it_is_and_no_clone_of_it(its: VCenter) -> None:
    moved, mine = marked(its, "e-1")
    assert mine == MarkedVm(mine.moref, "/dc1/vm/templates/mine", "mine", True, False, named("mine"), None)
    assert moved.path == "/dc1/vm/running/moved"
    assert (moved.is_template, moved.powered_on, moved.marks[MARK_STACK]) == (False, True, "other")
    assert [vm.name for vm in marked(its, "e-2")] == ["another"]
    assert marked(its, "e-3") == []


def test_looking_for_the_mark_takes_few_requests_however_many_vms(program: Path, opened: Opened) -> None:
    crowd = [vm(f"vm-{number:03}", folder="running", diskMib=[16]) for number in range(200)]
    with running(program, world(vms=[*crowd, vm("mine", extraConfig=named("mine"))])) as started:
        vcenter = opened(started.access())
        started.forget_calls()
        assert [vm.path for vm in marked(vcenter, "e-1")] == ["/dc1/vm/mine"]
        assert started.calls()["methods"] == {"RetrievePropertiesEx": 2}


def test_paths_lead_there_and_back(its: VCenter) -> None:
    for path in ("/dc1", "/dc1/vm/templates", "/dc1/host/gpu", "/dc1/host/gpu/esx-01", "/dc1/datastore/ssd", SOURCE):
        assert path_of(its, found(its, path)) == path
    assert find(its, "/dc1/vm/nothing") is None


def test_pages_are_put_together(its: VCenter) -> None:
    vms = [entity.object for entity in walk(its, {"VirtualMachine": []})["VirtualMachine"]]
    rows = collect(its, "VirtualMachine", ["name"], vms, page=2)
    assert sorted(row.get("name") for row in rows) == ["another", "mine", "moved", "plain", "rhcos", "user", "waits"]
    assert its.calls["ContinueRetrievePropertiesEx"] == 3


NO_SUCH_TOKEN = b"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>
<faultcode>ServerFaultCode</faultcode><faultstring>token</faultstring>
<detail><InvalidPropertyFault xmlns="urn:vim25" xsi:type="InvalidProperty"><name>token</name></InvalidPropertyFault>
</detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"""


def test_pages_that_are_lost_with_their_session_are_read_again(
    own: Running, authority: Authority, opened: Opened
) -> None:
    with front(authority.server(), own.port) as before:
        its = opened(own.access(fingerprint="", port=before.port, ca=authority.pem))
        vms = [entity.object for entity in walk(its, {"VirtualMachine": []})["VirtualMachine"]]
        lost: list[bytes] = []

        def expire(body: bytes) -> bytes:
            """After the first page the session ends, and with it the token of the second one."""
            if not lost and b"<token>" in body:
                lost.append(body)
                own.fault("vcenter-session-expired")
                own.fault()
            elif len(lost) == 1 and b"ContinueRetrievePropertiesExResponse" in body:
                lost.append(body)
                return NO_SUCH_TOKEN
            return body

        before.change = expire
        assert len(collect(its, "VirtualMachine", ["name"], vms, page=4)) == 7
        assert len(lost) == 2
        assert its.calls["Login"] == 2


def test_what_is_gone_has_no_row(its: VCenter) -> None:
    plain = found(its, "/dc1/vm/running/plain")
    finish(its, plain.Destroy_Task(), "removing", "/dc1/vm/running/plain")
    assert one(its, plain, ["name"]) is None
    with pytest.raises(VSphereError) as caught:
        plain.MarkAsTemplate()
    assert caught.value.record.message == "/dc1/vm/running/plain does not exist any more"


def test_a_property_that_is_not_set_is_absent(its: VCenter) -> None:
    row = one(its, found(its, SOURCE), ["name", "resourcePool", "snapshot.rootSnapshotList"])
    values: Mapping[str, Any] = row.values if row else {}
    assert dict(values) == {"name": "rhcos"}


def test_a_property_that_does_not_exist_says_so(its: VCenter) -> None:
    row = one(its, found(its, SOURCE), ["name", "config.colour"])
    assert row and row.unread == {"config.colour": f"{SOURCE} has no property config.colour"}
