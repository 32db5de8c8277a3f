"""GPU templates through `up`, hand edits, `refresh`, `up` and `destroy`, against the lab's vCenter by real pyVmomi."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator

import pytest
from pyVmomi import vim

from aiinfra.domains.vsphere.client.tasks import finish
from tests.integration.spine.site import Site, Told
from tests.integration.spine.vsphere_site import (
    clone,
    inventory,
    lab_folder_of,
    pool,
    template,
    told,
    vcenter_of,
    vm_at,
    write,
)

pytestmark = [pytest.mark.engine, pytest.mark.lab]
SOURCE = "/dc1/vm/templates/rhcos (template)"


@pytest.fixture
def site(make_site: Callable[..., Site], toolchain: object) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    yield made
    made.run("lab", "stop", "vs")


def up(site: Site) -> str:
    """The path of the one template that stands."""
    ended = site.result("up")
    assert ended["exit_code"] == 0, told
    (path,) = [path for path in inventory(site) if path != SOURCE]
    return path.removesuffix(" (template)")


def refreshed(site: Site) -> Told:
    told: Told = json.loads(site.run("refresh", "vs", "--output", "json").stdout)
    return told


def test_hand_edits_show_field_by_field_and_up_puts_them_back(site: Site) -> None:
    write(site, {"vgpu": template()})
    path = up(site)
    name = path.rpartition("/")[2]
    with vcenter_of(site) as vcenter:
        vm = vm_at(vcenter, path)
        vm.MarkAsVirtualMachine(pool(vcenter))
        devices = told(vcenter, path, "config.hardware.device")
        gpu = next(each for each in devices if isinstance(each, vim.vm.device.VirtualPCIPassthrough))
        spec = vim.vm.ConfigSpec(memoryReservationLockedToMax=False, firmware="bios")
        spec.extraConfig = [vim.option.OptionValue(key="pciPassthru.64bitMMIOSizeGB", value="64")]
        spec.deviceChange = [vim.vm.device.VirtualDeviceSpec(operation="remove", device=gpu)]
        finish(vcenter, vm.ReconfigVM_Task(spec), "editing", path)
        finish(vcenter, vm.Rename_Task("mine"), "renaming", path)
        finish(vcenter, vm_at(vcenter, "/dc1/vm").MoveIntoFolder_Task([vm]), "moving", path)
    ended = refreshed(site)
    (result,) = ended["results"]
    assert result["reason"] == "drifted"
    assert sorted(result["drift"]) == [
        f"{name}: GPU devices: is none, should be vGPU grid_a100-20c",
        f"{name}: extraConfig pciPassthru.64bitMMIOSizeGB: is 64, should be 512",
        f"{name}: firmware: is bios, should be efi",
        f"{name}: folder: is /dc1/vm, should be /dc1/vm/templates",
        f"{name}: memory reservation locked: is off, should be on",
        f"{name}: name: is mine, should be {name}",
        f"{name}: template: is off, should be on",
    ]
    assert up(site) == path
    again = refreshed(site)
    assert again["results"][0]["reason"] == "as_recorded"


def test_a_machine_that_was_cloned_of_a_template_is_never_touched(site: Site) -> None:
    write(site, {"vgpu": template()})
    path = up(site)
    with vcenter_of(site) as vcenter:
        clone(vcenter, path, "/dc1/vm", "ocp-worker-gpu-0")
    write(site, {"vgpu": template(cpus=16)})
    assert site.result("up")["exit_code"] == 0
    assert "/dc1/vm/ocp-worker-gpu-0" in inventory(site)
    assert f"{path} (template)" not in inventory(site)
    ended = site.result("destroy", "--keep-lab")
    assert ended["exit_code"] == 0
    assert inventory(site) == ["/dc1/vm/ocp-worker-gpu-0", SOURCE]
    assert ended["nothing_left"][0].startswith("vCenter 127.0.0.1:")
    assert ended["nothing_left"][0].endswith(f" (0 objects marked {ended['environment_id']})")


def test_a_template_that_was_deleted_by_hand_is_made_again(site: Site) -> None:
    write(site, {"vgpu": template()})
    path = up(site)
    with vcenter_of(site) as vcenter:
        finish(vcenter, vm_at(vcenter, path).Destroy_Task(), "removing", path)
    assert refreshed(site)["results"][0]["outcome"] == "changed"
    assert up(site) == path


def test_an_up_notices_a_template_that_was_deleted_or_changed_by_hand(site: Site) -> None:
    write(site, {"vgpu": template()})
    path = up(site)
    with vcenter_of(site) as vcenter:
        finish(vcenter, vm_at(vcenter, path).Destroy_Task(), "removing", path)
    said = site.run("up", site.environment).stdout
    assert f"vgpu is not as it was: the template {path} is gone\n" in said
    assert f"{path} (template)" in inventory(site)
    with vcenter_of(site) as vcenter:
        finish(vcenter, vm_at(vcenter, path).Rename_Task("mine"), "renaming", path)
    said = site.run("up", site.environment).stdout
    assert f"vgpu is not as it was: the template {path} was changed\n" in said
    assert f"{path} (template)" in inventory(site)
    assert site.result("up")["results"][0]["outcome"] == "unchanged"


def test_a_lost_state_names_what_carries_the_name_and_takes_the_id_that_is_told(site: Site) -> None:
    write(site, {"vgpu": template()})
    path = up(site)
    id = refreshed(site)["environment_id"]
    folder = lab_folder_of(site)
    shutil.rmtree(folder / "state")
    shutil.rmtree(folder / "notes")
    ended = site.result("destroy", "--keep-lab")
    assert ended["exit_code"] == 5
    (left,) = ended["errors"]
    assert left["message"] == f"{path} carry the name vs and the id {id}"
    assert left["hint"] == f"if they are this environment's: aiinfra destroy vs --environment-id {id}"
    ended = site.result("destroy", "--keep-lab", "--environment-id", id)
    assert ended["exit_code"] == 0
    assert inventory(site) == [SOURCE]


def test_a_template_whose_disks_back_a_linked_clone_is_kept_and_told(site: Site) -> None:
    write(site, {"vgpu": template()})
    path = up(site)
    linked(site, path, "worker-0")
    ended = site.result("destroy", "--keep-lab")
    assert ended["exit_code"] == 5
    (left,) = ended["errors"]
    assert left["message"] == f"{path}: kept, as its disks are those of /dc1/vm/worker-0"
    with vcenter_of(site) as vcenter:
        finish(vcenter, vm_at(vcenter, "/dc1/vm/worker-0").Destroy_Task(), "removing", "worker-0")
    assert site.result("destroy", "--keep-lab")["exit_code"] == 0
    assert inventory(site) == [SOURCE]


def test_a_template_whose_proof_failed_is_kept_in_the_state_beside_the_one_it_replaces(site: Site) -> None:
    gpu = {"mode": "passthrough", "pci_device": "26B9", "label": "gpu-l40s"}
    write(site, {"whole": template(gpu)})
    good = up(site)
    write(site, {"whole": template(gpu, mmio=32)})
    for _ in range(2):
        failed = site.run("up", "vs", "--yes")
        assert failed.returncode == 4
        assert "its 64-bit MMIO space is too small for its GPUs" in failed.stdout
        assert len(inventory(site)) == 3
        assert f"{good} (template)" in inventory(site)
        assert json.loads(site.run("outputs", "vs", "--output", "json").stdout)["outputs"]["whole"]["path"] == good
    write(site, {"whole": template(gpu, cpus=16)})
    assert up(site) != good
    assert site.result("up")["results"][0]["outcome"] == "unchanged"
    write(site, {"whole": template(gpu, mmio=32)})
    assert site.result("up")["exit_code"] == 4
    ended = site.result("destroy", "--only", "whole", "--keep-lab")
    assert ended["exit_code"] == 0, ended
    assert inventory(site) == [SOURCE]


def linked(site: Site, path: str, name: str) -> None:
    """A machine whose disk stands on that of a template."""
    with vcenter_of(site) as vcenter:
        vm = vm_at(vcenter, path)
        vm.MarkAsVirtualMachine(pool(vcenter))
        finish(vcenter, vm.CreateSnapshot_Task("base", "", False, False), "taking a snapshot of", path)
        vm.MarkAsTemplate()
        clone(vcenter, path, "/dc1/vm", name, linked=True)


def outputs(site: Site) -> Told:
    told: Told = json.loads(site.run("outputs", "vs", "--output", "json").stdout)
    return told


def test_a_change_makes_a_template_beside_the_old_one_which_stays_while_a_machine_stands_on_its_disks(
    site: Site,
) -> None:
    write(site, {"vgpu": template()})
    old = up(site)
    linked(site, old, "worker-0")
    write(site, {"vgpu": template(cpus=16)})
    ended = site.run("up", "vs", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert f"{old}: kept, as its disks are those of /dc1/vm/worker-0" in ended.stdout + ended.stderr
    stand = [path.removesuffix(" (template)") for path in inventory(site) if path.endswith(" (template)")]
    (new,) = set(stand) - {old, SOURCE.removesuffix(" (template)")}
    assert old in stand
    assert new in json.dumps(outputs(site))
    assert old not in json.dumps(outputs(site))
    assert refreshed(site)["results"][0]["reason"] == "as_recorded"
    with vcenter_of(site) as vcenter:
        finish(vcenter, vm_at(vcenter, "/dc1/vm/worker-0").Destroy_Task(), "removing", "worker-0")
    assert refreshed(site)["results"][0]["reason"] == "drifted"
    assert up(site) == new
