"""What is said for each fault of a vCenter. The faults are pyVmomi's own."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.refusals import refusal

PATHS = {"vm-1": "/dc1/vm/templates/gpu-1", "host-1": "/dc1/host/gpu/esx-01", "host-2": "/dc1/host/gpu/esx-02"}
VM = vim.VirtualMachine("vm-1")


def naming(obj: Any) -> str:
    return PATHS[obj._moId]


def said(fault: Any, *, powering: bool = False) -> VSphereError:
    return refusal(fault, about=VM, naming=naming, vcenter="vc.dc1", powering=powering)


def sentence(fault: Any, *, powering: bool = False) -> tuple[str, str, str]:
    record = said(fault, powering=powering).record
    return record.code, record.message, record.hint


def worded(kind: Any, msg: str, **fields: Any) -> Any:
    fault = kind(**fields)
    fault.msg = msg
    return fault


def because(fault: Any, *lines: str) -> Any:
    fault.faultMessage = [vmodl.LocalizableMessage(key=line.partition(" ")[0], message=line) for line in lines]
    return fault


def test_a_missing_privilege_is_named_with_its_object() -> None:
    fault = vim.fault.NoPermission(object=vim.HostSystem("host-1"), privilegeId="Host.Config.PciPassthru")
    assert sentence(fault) == (
        "vsphere.privileges",
        "the account lacks the privilege Host.Config.PciPassthru on /dc1/host/gpu/esx-01",
        "add to a role that the account has there, in vc.dc1",
    )


def test_all_missing_privileges_are_named() -> None:
    missing = vim.fault.NoPermission.EntityPrivileges(entity=VM, privilegeIds=["System.Read", "System.View"])
    fault = vim.fault.NoPermission(object=VM, privilegeId="System.Read", missingPrivileges=[missing])
    assert said(fault).record.message == (
        "the account lacks the privileges System.Read on /dc1/vm/templates/gpu-1, "
        "System.View on /dc1/vm/templates/gpu-1"
    )


@pytest.mark.parametrize(
    ("fault", "code", "message", "hint"),
    [
        (
            worded(vim.fault.InvalidLogin, "Cannot complete login due to an incorrect user name or password."),
            "vsphere.login",
            "vc.dc1 does not accept the user or its password",
            "check both in the vcenter block",
        ),
        (
            worded(vim.fault.InvalidLogin, "User account is locked. Please contact your administrator."),
            "vsphere.locked",
            "the account is locked at vc.dc1",
            "unlock it, or wait until the lockout ends",
        ),
        (
            vim.fault.PasswordExpired(),
            "vsphere.login",
            "the password of the account has expired at vc.dc1",
            "set a new one",
        ),
        (
            vmodl.fault.ManagedObjectNotFound(obj=vim.HostSystem("host-2")),
            "vsphere.not_found",
            "/dc1/host/gpu/esx-02 does not exist any more",
            "run again: it was removed meanwhile",
        ),
        (
            vim.fault.DuplicateName(name="gpu-2", object=VM),
            "vsphere.exists",
            "the name gpu-2 is taken already",
            "remove what has it, or choose another name",
        ),
        (
            vim.fault.TaskInProgress(),
            "vsphere.busy",
            "/dc1/vm/templates/gpu-1 is busy with another task",
            "wait until it ends",
        ),
        (
            vim.fault.InvalidPowerState(existingState="poweredOn", requestedState="poweredOff"),
            "vsphere.failed",
            "/dc1/vm/templates/gpu-1 is poweredOn, which does not allow this",
            "",
        ),
        (
            vim.fault.NoDiskSpace(datastore="ssd", file="x"),
            "vsphere.space",
            "datastore ssd has no room for /dc1/vm/templates/gpu-1",
            "free space on it",
        ),
        (
            worded(vmodl.fault.InvalidArgument, "A specified parameter was not correct: spec.memoryMB"),
            "vsphere.failed",
            "/dc1/vm/templates/gpu-1: A specified parameter was not correct: spec.memoryMB",
            "",
        ),
        (vim.fault.InvalidDatastore(), "vsphere.failed", "/dc1/vm/templates/gpu-1: invalid datastore", ""),
        (
            vmodl.fault.MethodNotFound(receiver=VM, method="vim.VirtualMachine.foo"),
            "vsphere.version",
            "vc.dc1 has no vim.VirtualMachine.foo for /dc1/vm/templates/gpu-1: its API is too old",
            "use a vCenter 7.0 or newer",
        ),
    ],
)
def test_each_fault_has_one_sentence_and_a_way_out(fault: Any, code: str, message: str, hint: str) -> None:
    assert sentence(fault) == (code, message, hint)


def test_what_may_succeed_again_is_marked() -> None:
    assert said(vim.fault.TaskInProgress()).record.transient
    assert not said(vim.fault.DuplicateName(name="x", object=VM)).record.transient


def test_the_name_of_the_fault_is_kept() -> None:
    assert said(vim.fault.InvalidPowerState(existingState="poweredOn", requestedState="poweredOff")).fault == (
        "InvalidPowerState"
    )


GENERIC = vim.fault.GenericVmConfigFault
FAILED = "Module 'DevicePowerOn' power on failed."


@pytest.mark.parametrize(
    ("fault", "code", "why"),
    [
        (
            worded(
                GENERIC,
                "Invalid memory setting: memory reservation (sched.mem.min) should be equal to memsize(16384).",
                reason="",
            ),
            "vsphere.memory_not_reserved",
            "not all of its memory is reserved, and a GPU device needs all of it",
        ),
        (
            because(
                worded(GENERIC, FAILED, reason=FAILED),
                "msg.x PCIPassthru: total number of pages needed (4206594) exceeds limit (917504), failing",
            ),
            "vsphere.mmio",
            "its 64-bit MMIO space is too small for its GPUs",
        ),
        (worded(GENERIC, FAILED, reason=FAILED), "vsphere.mmio", "a device could not be mapped"),
        (
            worded(GENERIC, "Device 6:0.0 is not a passthrough device.", reason=""),
            "vsphere.passthrough",
            "its device is not active for passthrough on the host",
        ),
        (
            worded(
                vim.fault.InsufficientGraphicsResourcesFault,
                "The amount of graphics resource available in the parent resource pool is insufficient for the operation.",
            ),
            "vsphere.capacity",
            "no card takes its vGPU: they are full, hold vGPUs of another size, or are not in Shared Direct mode",
        ),
        (
            worded(vim.fault.InsufficientMemoryResourcesFault, "", unreserved=1, requested=2),
            "vsphere.memory",
            "not enough memory is free to be reserved for it",
        ),
        (
            worded(GENERIC, "Could not initialize plugin 'libnvidia-vgx.so' for vGPU 'grid_a100-20c'.", reason=""),
            "vsphere.vgpu_plugin",
            "the vGPU manager of the host could not start its vGPU",
        ),
        (
            worded(vim.fault.InvalidEditionLicense, "The edition does not include it.", feature="vgpu"),
            "vsphere.licence",
            "the licence edition of the host does not allow GPU devices",
        ),
        (worded(vim.fault.InsufficientResourcesFault, ""), "vsphere.capacity", "no host has what it needs"),
    ],
)
def test_a_power_on_is_translated_by_its_cause(fault: Any, code: str, why: str) -> None:
    error = said(fault, powering=True)
    expected = f"/dc1/vm/templates/gpu-1 was not powered on: {why}"
    assert (error.record.code, error.record.message) == (code, expected)
    assert error.record.hint


def test_hosts_that_refuse_for_one_cause_are_named_together() -> None:
    room = vim.fault.InsufficientGraphicsResourcesFault()
    memory = vim.fault.InsufficientHostMemoryCapacityFault(host=vim.HostSystem("host-2"), unreserved=1, requested=2)
    hosts = [vim.HostSystem("host-1"), vim.HostSystem("host-2")]
    same = vim.fault.NoCompatibleHost(host=hosts, error=[room, vim.fault.InsufficientGraphicsResourcesFault()])
    assert said(same, powering=True).record.message == (
        "/dc1/vm/templates/gpu-1 was not powered on: esx-01, esx-02: "
        "no card takes its vGPU: they are full, hold vGPUs of another size, or are not in Shared Direct mode"
    )
    apart = vim.fault.NoCompatibleHost(host=hosts, error=[room, memory])
    assert said(apart, powering=True).record.message == (
        "/dc1/vm/templates/gpu-1 was not powered on: "
        "esx-01: no card takes its vGPU: they are full, hold vGPUs of another size, or are not in Shared Direct mode; "
        "esx-02: not enough memory is free to be reserved for it"
    )


def test_a_cause_inside_a_cause_counts() -> None:
    inner = worded(vim.fault.InvalidEditionLicense, "The edition does not include it.", feature="vgpu")
    fault = worded(vim.fault.GenericDrsFault, "", hostFaults=[inner])
    assert said(fault, powering=True).record.code == "vsphere.licence"


def test_what_is_no_cause_of_the_checklist_is_said_as_it_came() -> None:
    fault = vim.fault.InvalidPowerState(existingState="poweredOn", requestedState="poweredOn")
    assert said(fault, powering=True).record.message == (
        "/dc1/vm/templates/gpu-1 is poweredOn, which does not allow this"
    )
