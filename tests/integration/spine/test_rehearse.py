"""Every example lives its whole life in a throw-away lab, cut off from every network but loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from aiinfra.domains.kubernetes.lab.domain import go_module_caches
from aiinfra.domains.kubernetes.lab.real_operator import TOOL
from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.record import record_path
from aiinfra.waiting import Pending, Waiter
from aiinfra.world import World
from tests.integration.spine.lab_site import processes_of
from tests.integration.spine.site import Site, Told, kill

pytestmark = [pytest.mark.engine, pytest.mark.lab]
EXAMPLES = Path(__file__).parents[3] / "examples"
ALONE = ("unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
LIMIT = 240


def alone() -> Sequence[str]:
    """What runs a command in a network of its own; nothing where the kernel does not allow that."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return ()
    return ALONE if subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0 else ()


@pytest.fixture
def rehearsed(tmp_path: Path, toolchain_folder: Path) -> Any:
    """`rehearsed(example, *words)`: exit code and verdict; nothing of the real site is there to be asked for."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AIINFRA_TOOLCHAIN": str(toolchain_folder)}
    environ["GOMODCACHE"] = go_module_caches()[0]

    def run(example: str, *words: str) -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-m", "aiinfra", "rehearse", str(EXAMPLES / example), "--output", "json", *words]
        done = subprocess.run(
            [*alone(), *command], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert processes_of(tmp_path) == []
        assert list((tmp_path / ".local/state/aiinfra/rehearsals").iterdir()) == []
        return done.returncode, json.loads(done.stdout)

    return run


def acts(told: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(act["name"], act["passed"]) for act in told["acts"]]


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_an_example_comes_up_is_unchanged_and_leaves_nothing(example: str, rehearsed: Any) -> None:
    code, told = rehearsed(example)
    assert (code, acts(told)) == (0, [("up", True), ("up again", True), ("destroy", True)]), told["errors"]
    without_a_cluster = example == "vsphere.yaml"
    cuda, vcenter = (any(said in line for line in told["simulated"]) for said in ("CUDA does not run", "vCenter is a"))
    assert (cuda, vcenter) == (not without_a_cluster, example in ("lab.yaml", "vsphere.yaml"))
    assert [": stand-in for the chart " in said for said in told["packages"]] == [True] * len(told["packages"])
    assert bool(told["packages"]) == (not without_a_cluster)


IN_FOLDERS = """\
version: v1
name: site
vcenter: {host: vcenter.corp.example, user: "${env:VC_USER}", password: "${env:VC_PASSWORD}"}
stacks:
  vgpu:
    kind: vsphere_gpu_template
    source: /dcs/eu/DC1/vm/images/golden/rhcos
    place:
      datacenter: dcs/eu/DC1
      cluster: gpu/cluster-a
      datastore: fast/ds1
      folder: ml/templates
      resource_pool: gpu/team-a
    gpu: {mode: vgpu, profile: grid_a100-20c}
  mig:
    kind: vsphere_gpu_template
    source: images/rhcos
    place:
      datacenter: /dcs/eu/DC1
      cluster: /dcs/eu/DC1/host/test/cluster-a
      datastore: /dcs/eu/DC1/datastore/slow/ds2
      folder: /dcs/eu/DC1/vm
      resource_pool: /dcs/eu/DC1/host/test/cluster-a/Resources/a%2fb/c
    gpu: {mode: mig, model: A100-PCIe-40GB, memory: 10GiB}
"""


def test_templates_are_proved_in_folders_and_nested_resource_pools(rehearsed: Any, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(IN_FOLDERS, encoding="utf-8")
    code, told = rehearsed(str(file))
    assert (code, acts(told)) == (0, [("up", True), ("up again", True), ("destroy", True)]), told["errors"]
    assert told["assumed"] == [
        "vCenter, cluster dcs/eu/DC1/gpu/cluster-a: 2 hosts with 2 x A100-PCIe-40GB (vgpu), and resource pool gpu/team-a",
        "vCenter, cluster dcs/eu/DC1/test/cluster-a: 2 hosts with 2 x A100-PCIe-40GB (mig), and resource pool a%2fb/c",
    ]


@pytest.mark.slow
def test_the_real_operator_can_be_rehearsed_with(rehearsed: Any, toolchain_folder: Path) -> None:
    program = Toolchain(World.real()).ensure([TOOL])[TOOL]
    (toolchain_folder / TOOL).symlink_to(program)
    (toolchain_folder / f"{TOOL}.json").symlink_to(record_path(program))
    code, told = rehearsed("lab.yaml", "--real-operators", "--set", "stacks.gpu-operator.version=v25.3.4")
    assert (code, acts(told)) == (0, [("up", True), ("up again", True), ("destroy", True)]), told["errors"]
    assert any("the GPU Operator and its chart are NVIDIA's own, v25.3.4" in line for line in told["simulated"])


def test_who_is_impatient_leaves_no_lab_behind(make_site: Callable[..., Site]) -> None:
    site = make_site({}, environment="hasty")
    site.write({"cluster": {"kind": "existing_cluster"}}, target="lab")
    rehearsals, asked = site.folder / "home/.local/state/aiinfra/rehearsals", list[str]()

    def is_ending() -> bool | Pending:
        labs = [path.read_text() for path in rehearsals.glob("*/hasty/lab.json")]
        return not labs or bool(json.loads(labs[0])["ending"]) or Pending("the end of the lab")

    def interrupt(event: Told, pid: int) -> bool:
        if event["type"] in {"stack_started", "run_ended"}:
            asked.append(event["type"])
            Waiter(30, every=0.001).until(lambda: event["type"] == "stack_started" or is_ending())
            kill(pid, signal.SIGINT)
        return False

    assert site.until(interrupt, "rehearse", "hasty") == 130
    assert asked == ["stack_started", "run_ended"]
    assert processes_of(site.folder) == []
    assert list(rehearsals.iterdir()) == []


def test_a_cluster_that_is_cut_off_is_told_and_then_healed(rehearsed: Any) -> None:
    code, told = rehearsed("small.yaml", "--fault", "api-partition@nfd")
    names = ["up with api-partition@nfd", "up", "up again", "destroy"]
    assert (code, acts(told)) == (0, [(name, True) for name in names]), told["errors"]
    assert "cannot be reached: Connection refused" in told["acts"][0]["why"]


def test_a_release_that_a_webhook_refused_is_installed_once_the_webhook_is_back(rehearsed: Any) -> None:
    code, told = rehearsed("onprem.yaml", "--fault", "webhook-down@gpu-operator")
    assert (code, told["passed"]) == (0, True), told["errors"]


def test_definitions_that_are_not_made_are_named_and_come_with_the_next_up(rehearsed: Any) -> None:
    code, told = rehearsed("small.yaml", "--fault", "crd-late")
    assert (code, told["passed"]) == (0, True), told["errors"]
    assert told["acts"][0]["why"] == (
        "nfd: no chart or operator has brought CustomResourceDefinition nodefeatures.nfd.k8s-sigs.io to the cluster yet"
    )


NO_ANSWER = (
    "vgpu: the host of /dc1/vm/gpu-templates/vsphere-vgpu-… does not answer; "
    "mig: the host of /dc1/vm/gpu-templates/vsphere-mig-… does not answer; "
    "passthrough: the host of /dc1/vm/gpu-templates/vsphere-passthrough-… does not answer"
)
HANGS = (
    "vgpu: cloning /dc1/vm/gpu-templates/vsphere-vgpu-…: 0 % has not ended after 60 s; "
    "mig: cloning /dc1/vm/gpu-templates/vsphere-mig-…: 0 % has not ended after 60 s; "
    "passthrough: cloning /dc1/vm/gpu-templates/vsphere-passthrough-…: 0 % has not ended after 60 s"
)
STARTABLE = "needed: a profile that can be started now"
UNLISTED = "no host lists a vGPU profile of A100-PCIe-80GB"
VCENTER_ROOTS = {
    "clone-fails-halfway": NO_ANSWER,
    "profile-missing": f"vgpu: cluster gpu-a: {UNLISTED}; {STARTABLE}; mig: cluster gpu-mig: {UNLISTED}; {STARTABLE}",
    "reboot-pending": (
        f"vgpu: cluster gpu-a: {UNLISTED}; a reboot is pending on gpu-a-vgpu-1-0, gpu-a-vgpu-1-1; {STARTABLE}; "
        f"mig: cluster gpu-mig: {UNLISTED}; a reboot is pending on gpu-mig-mig-1-0, gpu-mig-mig-1-1; {STARTABLE}; "
        "passthrough: cluster gpu-b: 0 more VMs in total; a reboot is pending on gpu-b-passthrough-2-0, "
        "gpu-b-passthrough-2-1; needed: room for a VM of 2 GPUs and 256 GiB"
    ),
    "task-hangs": HANGS,
    "vcenter-host-full": (
        "vgpu: cluster gpu-a: grid_a100d-40c is listed by gpu-a-vgpu-1-0, gpu-a-vgpu-1-1 and cannot be started: "
        f"no card has room for it in its mode; {STARTABLE}; "
        "mig: cluster gpu-mig: grid_a100d-1-20c is listed by gpu-mig-mig-1-0, gpu-mig-mig-1-1 and cannot be started: "
        f"no card has room for it in its mode; {STARTABLE}; "
        "passthrough: cluster gpu-b: 0 more VMs in total; needed: room for a VM of 2 GPUs and 256 GiB"
    ),
    "vcenter-session-expired": "every stack is up",
    "vib-mismatch": (
        "vgpu: gpu-a-vgpu-1-0: NVD-AIE_ESXi_8.0.0_Driver 470.256.02; "
        "needed: a branch that takes guest driver 580.65.06; "
        "mig: gpu-mig-mig-1-0: NVD-AIE_ESXi_8.0.0_Driver 470.256.02; "
        "needed: a branch that takes guest driver 580.65.06"
    ),
}
EVERYDAY = ("clone-fails-halfway", "reboot-pending")


@pytest.mark.parametrize(
    "fault", [each if each in EVERYDAY else pytest.param(each, marks=pytest.mark.slow) for each in VCENTER_ROOTS]
)
def test_a_fault_of_the_vcenter_is_told_by_its_root_and_gone_once_it_is_lifted(fault: str, rehearsed: Any) -> None:
    code, told = rehearsed("vsphere.yaml", "--fault", fault)
    names = [f"up with {fault}", "up", "up again", "destroy"]
    assert (code, acts(told)) == (0, [(name, True) for name in names]), told["errors"]
    assert re.sub(r"-[0-9a-f]{8}\b", "-…", told["acts"][0]["why"]) == VCENTER_ROOTS[fault]


def test_a_rehearsal_is_summed_up_for_ci(rehearsed: Any, tmp_path: Path) -> None:
    code, _ = rehearsed("small.yaml", "--summary", "rehearsal.md", "--summary", "out/rehearsal.xml")
    assert code == 0
    assert (tmp_path / "rehearsal.md").read_text().startswith("## aiinfra rehearse small\n\npassed: 3 of 3 in ")
    suite = ElementTree.parse(tmp_path / "out" / "rehearsal.xml").getroot()[0]
    assert [case.get("name") for case in suite] == ["up", "up again", "destroy"]


def test_a_fault_that_touches_nothing_fails_the_rehearsal(rehearsed: Any) -> None:
    code, told = rehearsed("small.yaml", "--fault", "driver-kernel-mismatch")
    assert code == 4
    assert [error["message"] for error in told["errors"]] == [
        "driver-kernel-mismatch had no effect: every stack is up in spite of it"
    ]
