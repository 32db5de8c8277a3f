"""Each fault of the lab's vCenter strikes an `up`: its block is told, and once it is lifted the next `up` converges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.integration.spine.site import Site
from tests.integration.spine.vsphere_site import inventory, template, write

pytestmark = [pytest.mark.engine, pytest.mark.lab]
SOURCE = "/dc1/vm/templates/rhcos (template)"
HOSTS = {"a100": {"count": 1, "cards": [{"model": "A100-PCIe-40GB", "count": 2}]}}
FULL = """\
✗ vgpu: cluster gpu: grid_a100-20c is listed by a100-0 and cannot be started: no card has room for it in its mode; \
needed: a profile that can be started now
  → free a card, or name a profile that can be started: aiinfra doctor vs lists them
  code vsphere.profile_not_startable · exit 3
"""
MISSING = """\
✗ vgpu: cluster gpu: no host lists a vGPU profile of A100-PCIe-40GB; needed: a profile that can be started now
  → the hosts have: NVIDIA A100-PCIE-40GB
  code vsphere.gpu_absent · exit 3
"""
REBOOT = """\
✗ vgpu: cluster gpu: no host lists a vGPU profile of A100-PCIe-40GB; a reboot is pending on a100-0; needed: a profile \
that can be started now
  → reboot a100-0: what was set on hosts takes effect then
  code vsphere.gpu_absent · exit 3
"""
DRIVER = """\
✗ vgpu: a100-0: NVD-AIE_ESXi_8.0.0_Driver 470.256.02; needed: a branch that takes guest driver 580.65.06
  → install a guest driver of the host's branch, or a vGPU manager of the guest's
  code vsphere.driver · exit 3
"""
HALF = """\
✗ vgpu  failed after … s
  the host of /dc1/vm/templates/vs-vgpu-… does not answer
  → reconnect it in vCenter, then run again
  code vsphere.failed · may pass by itself · exit 4
"""
HANGS = """\
✗ vgpu  failed after … s
  cloning /dc1/vm/templates/vs-vgpu-…: 0 % has not ended after 3 s
  → look at it under Recent Tasks in vCenter: cancel it there if it hangs, then run again
  code vsphere.task_slow · may pass by itself · exit 4
"""
TOLD = {
    "vcenter-host-full": (3, FULL),
    "profile-missing": (3, MISSING),
    "reboot-pending": (3, REBOOT),
    "vib-mismatch": (3, DRIVER),
    "clone-fails-halfway": (4, HALF),
    "task-hangs": (4, HANGS),
    "vcenter-session-expired": (0, ""),
}


@pytest.fixture
def site(make_site: Callable[..., Site], toolchain: object) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    yield made
    made.run("lab", "stop", "vs")


def test_each_fault_is_told_and_the_next_up_converges_once_it_is_lifted(site: Site) -> None:
    write(site, {"vgpu": template(guest_driver="580.65.06", limit="3s")}, hosts=HOSTS)
    assert site.result("up")["exit_code"] == 0
    for fault, (code, block) in TOLD.items():
        assert site.result("destroy", "--keep-lab")["exit_code"] == 0
        assert site.run("lab", "fault", "vs", fault).returncode == 0
        struck = site.run("up", "vs", "--yes")
        assert struck.returncode == code, f"{fault}: {struck.stdout}{struck.stderr}"
        told = re.sub(r"after [\d.]+ s$", "after … s", struck.stdout + struck.stderr, flags=re.MULTILINE)
        told = re.sub(r"vs-vgpu-[0-9a-f]{8}", "vs-vgpu-…", told).replace("not ended after … s", "not ended after 3 s")
        assert block in told, fault
        assert site.run("lab", "fault", "vs", fault, "--lift").returncode == 0
        assert site.result("up")["exit_code"] == 0, fault
        assert len([path for path in inventory(site) if path != SOURCE]) == 1, fault
