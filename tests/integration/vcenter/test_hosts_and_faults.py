"""Hosts that are set, accounts that may not, and what can be broken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pyVmomi import vim

from aiinfra.domains.vsphere.lab.block import LabCards
from tests.integration.vcenter.client import Simulator, done, dynamic, refusal, vgpu, with_gpus
from tests.integration.vcenter.conftest import A100, Start


def graphics(there: Simulator) -> list[str]:
    return [card.graphicsType for card in there.host("esx-0").config.graphicsInfo]


def test_a_graphics_type_is_in_effect_after_a_restart(start: Start) -> None:
    there = start(host={"default_graphics_type": "shared"})
    host = there.host("esx-0")
    wanted = vim.host.GraphicsConfig(
        hostDefaultGraphicsType="sharedDirect", sharedPassthruAssignmentPolicy="performance"
    )
    host.configManager.graphicsManager.UpdateGraphicsConfig(wanted)
    assert (graphics(there), host.config.graphicsConfig.hostDefaultGraphicsType) == (["shared"] * 2, "sharedDirect")
    assert (host.summary.rebootRequired, list(host.config.sharedPassthruGpuTypes)) == (True, [])
    there.control("/hosts/reboot", {"host": "esx-0"})
    assert (graphics(there), host.summary.rebootRequired) == (["sharedDirect"] * 2, False)
    assert "grid_a100-40c" in host.config.sharedPassthruGpuTypes


def test_passthrough_is_active_at_once_only_if_that_is_asked(start: Start) -> None:
    there = start(LabCards(model=A100, count=2))
    host = there.host("esx-0")
    changes = [
        vim.host.PciPassthruConfig(id="0000:10:00.0", passthruEnabled=True, applyNow=True, hardwareLabel="gpu-a100"),
        vim.host.PciPassthruConfig(id="0000:18:00.0", passthruEnabled=True, applyNow=False),
    ]
    host.configManager.pciPassthruSystem.UpdatePassthruConfig(changes)
    told = [(one.passthruEnabled, one.passthruActive, one.hardwareLabel) for one in host.config.pciPassthruInfo]
    assert told == [(True, True, "gpu-a100"), (True, False, None)]
    vm = there.clone("vm", with_gpus(dynamic("gpu-a100")))
    assert there.place_and_start(vm) == "esx-0"


def test_mig_is_switched_in_the_shell_of_the_host_on_an_idle_card(start: Start) -> None:
    there = start(LabCards(model=A100))
    vm = there.clone("vm", with_gpus(vgpu("grid_a100-40c")), powerOn=True)
    switch = {"host": "esx-0", "pciId": "0000:10:00.0", "mig": True}
    assert there.control("/hosts/mig", switch) == {"error": "in use: GPU 0000:10:00.0 is used by another client"}
    done(vm.PowerOffVM_Task())
    there.control("/hosts/mig", switch)
    host = there.host("esx-0")
    assert [card.vgpuMode for card in host.config.graphicsInfo] == ["multiInstanceGpu"]
    assert "grid_a100-3-20c" in host.config.sharedPassthruGpuTypes


def test_a_privilege_that_is_missing_is_told_and_its_operation_refused(start: Start) -> None:
    missing = {"privilege": "VirtualMachine.Config.Resource", "path": "/dc1/vm/templates"}
    there = start(missing_privileges=[missing])
    vm = there.clone("vm")
    (told,) = there.content.authorizationManager.HasPrivilegeOnEntities(
        [vm], there.content.sessionManager.currentSession.key, [missing["privilege"], "VirtualMachine.Config.Memory"]
    )
    assert [one.isGranted for one in told.privAvailability] == [False, True]
    try:
        vm.ReconfigVM_Task(with_gpus(vgpu()))
    except vim.fault.NoPermission as fault:
        assert (fault.privilegeId, fault.object) == (missing["privilege"], vm)
    assert not vm.config.memoryReservationLockedToMax


def test_only_the_account_may_log_in(start: Start) -> None:
    there = start()
    assert refusal(lambda: there.connect(password="guess")) == (
        "InvalidLogin",
        "Cannot complete login due to an incorrect user name or password.",
    )


def test_five_wrong_passwords_lock_the_account(start: Start) -> None:
    there = start()
    for _ in range(5):
        assert refusal(lambda: there.connect(password="guess"))[0] == "InvalidLogin"
    assert refusal(there.connect) == ("InvalidLogin", "User account is locked. Please contact your administrator.")


def test_a_session_that_expires_is_refused_until_the_next_login(start: Start) -> None:
    there = start()
    there.fault("vcenter-session-expired")
    assert refusal(there.session.CurrentTime) == ("NotAuthenticated", "The session is not authenticated.")
    there.session = there.connect()
    assert there.session.CurrentTime()


def test_a_full_host_is_full_of_somebody_else_s_vms(start: Start) -> None:
    there = start()
    there.fault("vcenter-host-full", "esx-0")
    assert [[vm.name for vm in card.vm] for card in there.host("esx-0").config.graphicsInfo] == [
        ["occupant-esx-0-0"],
        ["occupant-esx-0-1"],
    ]
    there.control("/faults", {"faults": []})
    assert [vm.name for vm in there.all(vim.VirtualMachine)] == ["rhcos"]


def test_a_profile_can_be_missing_on_one_host(start: Start) -> None:
    there = start()
    there.fault("profile-missing", "esx-0/grid_a100-20c")
    assert "grid_a100-20c" not in there.host("esx-0").config.sharedPassthruGpuTypes
    assert "grid_a100-40c" in there.host("esx-0").config.sharedPassthruGpuTypes


def test_a_vib_of_another_branch_starts_no_vgpu(start: Start) -> None:
    there = start()
    there.fault("vib-mismatch", "esx-0")
    vibs = there.host("esx-0").configManager.imageConfigManager.FetchSoftwarePackages()
    assert [vib.version[:4] for vib in vibs if vib.vendor == "NVD"] == ["470."]
    assert refusal(lambda: there.clone("vm", with_gpus(vgpu()), powerOn=True)) == (
        "GenericVmConfigFault",
        "Could not initialize plugin '/usr/lib64/vmware/plugin/libnvidia-vgx.so' for vGPU 'grid_a100-20c'.",
    )


def test_a_clone_that_fails_halfway_leaves_a_vm_with_its_marks_only(start: Start) -> None:
    there = start()
    there.fault("clone-fails-halfway")
    assert refusal(lambda: there.clone("vm", with_gpus(vgpu(), annotation="made"))) == (
        "HostCommunication",
        "An error occurred while communicating with the remote host.",
    )
    left = there.find("/dc1/vm/templates/vm").config
    assert (len(left.extraConfig), left.annotation, left.memoryReservationLockedToMax) == (2, None, False)


def test_a_task_that_hangs_can_be_canceled(start: Start) -> None:
    there = start()
    there.fault("task-hangs", "CloneVM_Task")
    (cluster,) = there.all(vim.ClusterComputeResource)
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(pool=cluster.resourcePool), powerOn=False, template=False)
    task = there.template.CloneVM_Task(folder=there.template.parent, name="vm", spec=spec)
    assert (task.info.state, task.info.cancelable) == ("running", True)
    task.CancelTask()
    assert refusal(lambda: done(task)) == ("RequestCanceled", "The task was canceled by a user.")
    assert there.find("/dc1/vm/templates/vm") is None


def test_a_fault_at_a_place_that_is_none_breaks_nothing(start: Start) -> None:
    there = start()
    assert there.fault("reboot-pending", "esx-9") == {"error": 'no host is named "esx-9"'}
    assert there.fault("earthquake")["error"].startswith(
        'no fault is named "earthquake"; there are: vcenter-host-full,'
    )


def test_calls_are_counted_and_answered_side_by_side(start: Start) -> None:
    there = start(delays={"CurrentTime": 300})
    there.control("/calls/reset", {})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: there.session.CurrentTime(), range(8)))
    told = there.control("/calls")
    assert (told["methods"], told["atOnce"]) == ({"CurrentTime": 8}, 8)
