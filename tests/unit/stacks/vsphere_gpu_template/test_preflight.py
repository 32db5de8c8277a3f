"""What is told of a template before it is made: what it gets, and why."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.vsphere.reading.observed import DeviceGroup, Site
from stacks.vsphere_gpu_template.checks import Checks
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs
from tests.unit.vsphere.worlds import passed, shared, world

PLACE = {"datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "templates"}
VCENTER = {"host": "vc.dc1.example", "user": "u", "password": "p"}
GROUP = "Nvidia:2@grid_z9-40c%NVLink"


def told(site: Site, *sites: Site, **changes: Any) -> list[str]:
    entry = {"vcenter": VCENTER, "source": "templates/rhcos", "place": PLACE, **changes}
    found = Checks().preflight(GpuTemplateInputs.model_validate(entry), {"vsphere": [site, *sites]})
    return [f"{one.level} {one.about}: {one.read}" for one in found if one.code == "vsphere.template"]


def test_both_numbers_of_the_mmio_size_are_shown() -> None:
    gpu = {"mode": "vgpu", "model": "A100-PCIe-40GB", "memory": "20GiB"}
    assert told(world(), gpu=gpu) == [
        "ok the template: profile grid_a100-20c: time-sliced, 20 GiB, can be started on esx-01",
        "ok the template: passed over: grid_a100-4c has 4 GiB, less than 20; grid_a100-1-5c is MIG-backed; "
        "grid_a100-1-5cme is MIG-backed; grid_a100-5c has 5 GiB, less than 20; grid_a100-8c has 8 GiB, less than 20; "
        "grid_a100-1-10c is MIG-backed; grid_a100-10c has 10 GiB, less than 20; grid_a100-2-10c is MIG-backed; "
        "grid_a100-3-20c is MIG-backed; grid_a100-4-20c is MIG-backed; grid_a100-7-40c is MIG-backed",
        "ok the template: MMIO 512 GB: the larger of 512 GB and 64 GB by the doubling rule for 20 GB of GPU memory",
    ]


@pytest.mark.parametrize(
    ("mmio", "says"),
    [
        ("auto", "MMIO 1024 GB: the larger of 512 GB and 1024 GB by the doubling rule for 320 GB of GPU memory"),
        (2048, "MMIO 2048 GB, as the file says"),
        (0, "no MMIO keys are set"),
    ],
)
def test_a_size_that_the_file_says(mmio: Any, says: str) -> None:
    gpu = {"mode": "passthrough", "model": "A100-PCIe-40GB", "count": 8}
    assert told(world(passed()), gpu=gpu, mmio=mmio)[-1] == f"ok the template: {says}"


def test_a_group_whose_memory_nobody_tells() -> None:
    site = world(shared(groups=(DeviceGroup(GROUP, "two of them"),)))
    assert told(site, gpu={"mode": "device_group", "group": GROUP}) == [
        f"ok the template: device group {GROUP}: two of them",
        "ok the template: MMIO 512 GB, as nobody tells how much memory its GPUs have",
    ]


def test_each_failure_domain_has_its_own() -> None:
    gpu = {"mode": "vgpu", "profile": "grid_a100-40c"}
    domains = {"hall-a": PLACE, "hall-b": PLACE}
    said = told(world(), world(shared("esx-09")), gpu=gpu, place=None, failure_domains=domains)
    assert [text for text in said if "can be started" in text] == [
        "ok the template of hall-a: profile grid_a100-40c: time-sliced, 40 GiB, can be started on esx-01",
        "ok the template of hall-b: profile grid_a100-40c: time-sliced, 40 GiB, can be started on esx-09",
    ]


def test_a_site_that_cannot_serve_says_why_instead() -> None:
    assert told(world(), gpu={"mode": "mig", "profile": "grid_a100-3-20c"}) == []
