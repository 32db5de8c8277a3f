"""From what a stack asks for and what the hosts tell to the template that is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aiinfra.domains.vsphere.reading.observed import DeviceGroup, Site, StaticChoice
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, Ova
from aiinfra.domains.vsphere.template.content import DynamicPassthrough, StaticPassthrough, Vgpu
from aiinfra.domains.vsphere.template.resolving import resolve
from aiinfra.errors import StepError
from tests.unit.vsphere.conftest import MIG_STARTABLE
from tests.unit.vsphere.worlds import passed, shared, world

WANTED: dict[str, Any] = {
    "failure_domain": "",
    "place": {"datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "templates", "resource_pool": ""},
    "source": "templates/rhcos",
    "gpu": {"mode": "vgpu", "profile": "", "model": "A100-PCIe-40GB", "memory": 20480.0, "count": 1.0},
    "cpus": 16.0,
    "cores_per_socket": 1.0,
    "memory_mib": 131072.0,
    "hardware_version": 19.0,
    "mmio": "auto",
    "extra_config": {},
}


def request(**changes: Any) -> GpuTemplateSpec:
    return GpuTemplateSpec.load({**WANTED, **changes})


def gpu(mode: str, **fields: Any) -> dict[str, Any]:
    return {"gpu": {"mode": mode, **fields}}


def refused(request: GpuTemplateSpec, site: Site) -> tuple[str, str, str]:
    with pytest.raises(StepError) as caught:
        resolve(request, site)
    record = caught.value.record
    return record.code, record.message, record.hint


def test_a_vgpu_by_intent() -> None:
    told = resolve(request(), world())
    assert told.content.devices == (Vgpu("grid_a100-20c"),)
    assert (told.gpu_model, told.gpu_memory_mib, told.gpu_count, told.profile) == (
        "A100-PCIe-40GB", 20480, 1, "grid_a100-20c",
    )  # fmt: skip
    assert told.explained[0] == "profile grid_a100-20c: time-sliced, 20 GiB, can be started on esx-01"
    assert (
        told.explained[-1] == "MMIO 512 GB: the larger of 512 GB and 64 GB by the doubling rule for 20 GB of GPU memory"
    )


def test_the_same_request_is_the_same_template() -> None:
    one, other = resolve(request(), world()), resolve(request(), world(shared(), shared("esx-02")))
    assert one.content.digest == other.content.digest
    assert resolve(request(cpus=17), world()).content.digest != one.content.digest


def test_a_vgpu_by_name_knows_its_card() -> None:
    told = resolve(request(**gpu("vgpu", profile="GRID_A100-40C", count=1)), world())
    assert (told.content.devices, told.gpu_model, told.gpu_memory_mib) == (
        (Vgpu("grid_a100-40c"),), "A100-PCIe-40GB", 40960,
    )  # fmt: skip


def test_mig_backed() -> None:
    wanted = gpu("mig", model="A100-PCIe-40GB", memory=5120, count=2)
    told = resolve(request(**wanted), world(shared(startable=MIG_STARTABLE)))
    assert told.content.devices == (Vgpu("grid_a100-1-5c"), Vgpu("grid_a100-1-5c"))


def test_passthrough_by_model_and_label() -> None:
    told = resolve(request(**gpu("passthrough", model="A100-PCIe-40GB", label="gpu-a100", count=8)), world(passed()))
    assert told.content.devices == (DynamicPassthrough(0x10DE, 0x20F1, "gpu-a100"),) * 8
    assert told.content.mmio_gb == 1024
    assert told.explained[0] == (
        "passthrough of 10de:20f1 labelled gpu-a100: esx-01 have such cards; placement takes one that is free"
    )


def test_static_passthrough_takes_the_ids_from_the_host() -> None:
    choice = StaticChoice("0000:3b:00.0", "5f1e", 0x10DE, 0x20F1, "NVIDIA A100")
    told = resolve(
        request(**gpu("static_passthrough", host="esx-01", pci_ids=["0000:3b:00.0"])), world(passed(static=(choice,)))
    )
    assert told.content.devices == (StaticPassthrough("0000:3b:00.0", 0x10DE, 0x20F1, "5f1e", "NVIDIA A100"),)
    assert told.gpu_count == 1


def test_a_device_group_brings_its_devices() -> None:
    name = "Nvidia:2@grid_a100-40c%NVLink"
    told = resolve(request(**gpu("device_group", group=name)), world(shared(groups=(DeviceGroup(name),))))
    assert (told.content.devices, told.content.device_groups, told.gpu_model) == ((), (name,), "A100-PCIe-40GB")
    assert "GPU devices" not in told.content.settings()


def test_mmio_as_the_file_says() -> None:
    assert resolve(request(mmio=0), world()).content.keys() == {"disk.EnableUUID": "TRUE"}
    assert resolve(request(mmio=2048.0), world()).content.mmio_gb == 2048


def test_an_image_is_known_by_its_contents() -> None:
    ova = {"ova": "/images/rhcos.ova", "sha256": "ab" * 32}
    asked = request(source=ova)
    assert asked.source == Ova(ova="/images/rhcos.ova", sha256="ab" * 32)
    assert resolve(asked, world(source=None)).content.source == f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("changes", "site", "says"),
    [
        (
            {},
            world(folder=None),
            ("vsphere.not_found", "folder templates does not exist in vc.dc1.example", "name one that exists"),
        ),
        (
            {},
            world(source=None),
            (
                "vsphere.not_found",
                "source /dc1/vm/templates/rhcos does not exist in vc.dc1.example",
                "name a VM or template that exists, by its inventory path",
            ),
        ),
        (
            {},
            world(source=replace(world().source, disk_mib=(1, 2))),  # type: ignore[type-var]
            (
                "vsphere.source",
                "source /dc1/vm/templates/rhcos has 2 disks; a machine set needs one",
                "take an image with one disk",
            ),
        ),
        (
            gpu("vgpu", profile="grid_l40s-48c"),
            world(),
            (
                "vsphere.profile_unknown",
                "no host lists the vGPU profile grid_l40s-48c",
                "it is a profile of L40S; the hosts have: NVIDIA A100-PCIE-40GB",
            ),
        ),
        (
            gpu("passthrough", model="L40S"),
            world(passed()),
            ("vsphere.cards", "no host of /dc1/host/gpu has a L40S", "they have: NVIDIA A100-PCIE-40GB"),
        ),
        (
            gpu("static_passthrough", host="esx-01", pci_ids=["0000:af:00.0"]),
            world(passed()),
            ("vsphere.passthrough", "esx-01 passes no device 0000:af:00.0 through", "it passes through: none"),
        ),
        (
            gpu("static_passthrough", host="esx-09", pci_ids=["0000:af:00.0"]),
            world(passed()),
            ("vsphere.present", "/dc1/host/gpu has no host esx-09", "its hosts are: esx-01"),
        ),
        (
            gpu("device_group", group="Nvidia:8"),
            world(),
            ("vsphere.cards", "no host of /dc1/host/gpu lists the device group Nvidia:8", "they list: none"),
        ),
    ],
)
def test_a_site_that_cannot_serve_it(changes: dict[str, Any], site: Site, says: tuple[str, str, str]) -> None:
    assert refused(request(**changes), site) == says


def test_hosts_that_wait_for_a_reboot_are_the_way_out() -> None:
    waiting = world(shared(startable=(), reboot_required=True), shared("esx-02", startable=(), reboot_required=True))
    assert refused(request(), waiting)[2] == "reboot esx-01, esx-02: what was set on hosts takes effect then"
