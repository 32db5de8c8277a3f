"""What a file can ask that a site cannot give: one sentence before any step, the right exit code, nothing made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.spine.conftest import site_in
from tests.integration.spine.site import Site, follow
from tests.integration.spine.vsphere_site import PLACE, VGPU, inventory, template, told, vcenter_of

pytestmark = [pytest.mark.engine, pytest.mark.lab]
LOCK = "VirtualMachine.Config.Resource"
WORLD: Mapping[str, Any] = {
    "missing_privileges": [{"privilege": LOCK, "path": "/dc1/vm/locked"}],
    "datacenters": {
        "dc1": {
            "folders": ["templates", "locked"],
            "clusters": {
                "gpu": {"hosts": {"a100": {"cards": [{"model": "A100-PCIe-40GB", "count": 4}]}}},
                "whole": {"hosts": {"l40s": {"cards": [{"model": "L40S", "mode": "passthrough"}]}}},
            },
            "vms": {
                "rhcos": {"folder": "templates", "template": True},
                "two": {"folder": "templates", "template": True, "disks": ["16GiB", "1GiB"]},
                "old": {"folder": "templates", "template": True, "firmware": "bios"},
            },
        }
    },
}
SOURCES = [f"/dc1/vm/templates/{name} (template)" for name in ("old", "rhcos", "two")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, toolchain_folder: Path) -> Iterator[Site]:
    made = site_in(tmp_path_factory.mktemp("bad"), toolchain_folder, "vs")
    yield made
    made.run("lab", "stop", "vs")


def up(site: Site, name: str = "vgpu", **changes: Any) -> tuple[int, str]:
    """Exit code and what is said on stderr."""
    site.write({name: template(**changes)}, target="lab", lab={"vcenter": WORLD})
    done = site.run("up", site.environment, "--yes")
    return done.returncode, re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", done.stderr)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"gpu": {"mode": "vgpu", "profile": "grid_a100-20d"}},
            "✗ vgpu: cluster gpu: no host lists the vGPU profile grid_a100-20d; "
            "needed: a profile that can be started now\n"
            "  → did you mean grid_a100-20c?\n"
            "  code vsphere.profile_unknown · exit 3\n",
        ),
        (
            {"gpu": {"mode": "vgpu", "profile": "grid_l40s-24c"}},
            "✗ vgpu: cluster gpu: no host lists the vGPU profile grid_l40s-24c; "
            "needed: a profile that can be started now\n"
            "  → it is a profile of L40S; the hosts have: NVIDIA A100-PCIE-40GB\n"
            "  code vsphere.profile_unknown · exit 3\n",
        ),
        (
            {"gpu": {"mode": "vgpu", "model": "L40S", "memory": "24GiB"}},
            "✗ vgpu: cluster gpu: no host lists a vGPU profile of L40S; needed: a profile that can be started now\n"
            "  → the hosts have: NVIDIA A100-PCIE-40GB\n"
            "  code vsphere.gpu_absent · exit 3\n",
        ),
        (
            {"gpu": {**VGPU, "count": 9}},
            "✗ vgpu: cluster gpu: 0 more VMs in total; needed: room for a VM of 9 GPUs and 32 GiB\n"
            "  → free cards or memory, or ask less for each VM\n"
            "  code vsphere.capacity · exit 3\n",
        ),
        (
            {"source": "templates/two"},
            "✗ vgpu: /dc1/vm/templates/two: 2 disks; needed: one disk, as a machine set resizes it\n"
            "  → take an image with one disk\n"
            "  code vsphere.source · exit 3\n",
        ),
        (
            {"source": "templates/none"},
            "✗ vgpu: 127.0.0.1: /dc1/vm/templates/none does not exist; needed: a VM or template\n"
            "  → name one that exists: its inventory path\n"
            "  code vsphere.source · exit 3\n",
        ),
        (
            {"place": {**PLACE, "folder": "locked"}},
            "✗ vgpu: /dc1/vm/locked: lacks VirtualMachine.Config.Resource; needed: reserving all of its memory\n"
            "  → give the account a role with VirtualMachine.Config.Resource\n"
            "  code vsphere.privileges · exit 3\n",
        ),
    ],
)
def test_what_the_site_cannot_give(site: Site, changes: dict[str, Any], says: str) -> None:
    assert up(site, **changes) == (3, says)
    assert inventory(site) == SOURCES


def test_a_mig_profile_while_mig_is_off_says_how_it_is_switched_on(site: Site) -> None:
    code, says = up(site, gpu={"mode": "mig", "profile": "grid_a100-3-20c"})
    assert code == 3
    assert says.startswith(
        "✗ vgpu: cluster gpu: grid_a100-3-20c is listed by a100-0 and cannot be started: "
        "MIG mode is off on their free cards; needed: a profile that can be started now\n"
        "  → switch MIG on in the host's shell: aiinfra doctor vs shows how\n"
        "  code vsphere.mig_off · exit 3\n"
        "✗ vgpu: a100-0 0000:10:00.0: MIG off; needed: MIG on\n"
        "  → a100-0: switch MIG mode in the host's shell\n"
        "      esxcli system maintenanceMode set --enable true\n"
        "      nvidia-smi -i 00000000:10:00.0 -mig 1\n"
    )
    assert "      nvidia-smi -i 00000000:10:00.0 -mig 1\n" in follow(site, says, "doctor vs", 3)
    assert says.endswith(
        "✗ vgpu: a100-0 0000:28:00.0: MIG off; needed: MIG on\n  → as for 0000:10:00.0\n  code vsphere.mig · exit 3\n"
    )
    assert inventory(site) == SOURCES


@pytest.mark.parametrize("name", ["a/b", "x" * 41])
def test_a_stack_s_name_has_no_slash_and_is_short(site: Site, name: str) -> None:
    code, says = up(site, name)
    assert code == 2
    assert says.endswith(
        f": '{name}' is not a name of the form ^[a-z][a-z0-9_-]{{0,39}}$\n1 problem · nothing was touched · exit 2\n"
    )


def test_names_that_are_too_long_together(tmp_path: Path, toolchain_folder: Path) -> None:
    site = site_in(tmp_path, toolchain_folder, "e" * 40)
    site.write({"s" * 40: template()}, target="lab", lab={"vcenter": WORLD})
    done = site.run("up", site.environment, "--yes")
    assert done.returncode == 2
    assert (
        f"stacks.{'s' * 40}: its template's name {'e' * 40}-{'s' * 40}-00000000 would have 90 characters, "
        "vCenter takes 80 (use a shorter name for the environment or the stack)\n"
        "1 problem · nothing was touched · exit 2\n"
    ) in done.stderr


def test_mmio_space_that_is_set_too_small_is_found_by_the_proof(site: Site) -> None:
    gpu = {"mode": "passthrough", "pci_device": "26B9"}
    too_small = template(gpu, mmio=32, place={**PLACE, "cluster": "whole"})
    site.write({"vgpu": too_small}, target="lab", lab={"vcenter": WORLD})
    ended = site.result("up")
    (error,) = ended["errors"]
    assert (ended["exit_code"], error["code"]) == (4, "vsphere.mmio")
    assert re.fullmatch(
        r"/dc1/vm/templates/vs-vgpu-[0-9a-f]{8}-proof was not powered on: its 64-bit MMIO space is too small for its GPUs",
        error["message"],
    )
    assert [path for path in inventory(site) if "-proof" in path] == []
    assert site.result("up")["errors"] == [error], "it stays unproved until it is proved"
    assert up(site, gpu=gpu, place={**PLACE, "cluster": "whole"})[0] == 0
    assert site.run("destroy", "vs", "--yes", "--keep-lab").returncode == 0
    assert inventory(site) == SOURCES


def test_a_source_that_does_not_boot_by_efi_is_told_and_the_template_does(site: Site) -> None:
    assert up(site, source="templates/old")[0] == 0
    (path,) = [path.removesuffix(" (template)") for path in inventory(site) if path not in SOURCES]
    with vcenter_of(site) as vcenter:
        assert told(vcenter, path, "config.firmware") == "efi"
    doctor = " ".join(site.run("doctor", "vs").stdout.split())
    assert ("! vgpu /dc1/vm/templates/old: firmware bios needed: EFI, which the template is set to") in doctor
    assert site.run("destroy", "vs", "--yes", "--keep-lab").returncode == 0
