"""The spec of a template at its two borders: what people write, and what the provider reads back."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from aiinfra.domains.vsphere.spec import GpuTemplateSpec, VgpuDevices
from tests.unit.vsphere.worlds import BY_MODEL, GROUP, MIG, PASSTHROUGH, STATIC, VGPU, changed

IMAGE = changed(VGPU, source={"ova": "/images/rhcos.ova", "sha256": "ab" * 32})


@pytest.mark.parametrize(
    "spec", [VGPU, MIG, BY_MODEL, PASSTHROUGH, STATIC, GROUP, IMAGE], ids=lambda spec: spec.gpu.mode
)
def test_what_was_dumped_is_read_back(spec: GpuTemplateSpec) -> None:
    assert GpuTemplateSpec.load(spec.dump()) == spec


def test_a_dumped_size_is_a_number_of_mib() -> None:
    assert BY_MODEL.dump()["gpu"]["memory"] == 40960


def test_people_write_a_size_with_its_unit() -> None:
    with pytest.raises(ValidationError) as caught:
        VgpuDevices.model_validate({"mode": "vgpu", "model": "A100-PCIe-40GB", "memory": 40960})
    assert "40960 is not a size such as 512MiB, 40GiB or 2TiB" in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "devices", "shares", "passes", "host"),
    [
        (changed(VGPU, gpu={"count": 4}), 4, True, False, ""),
        (PASSTHROUGH, 1, False, True, ""),
        (changed(STATIC, gpu={"pci_ids": ["0000:3b:00.0", "0000:af:00.0"]}), 2, False, True, "esx-01"),
        (GROUP, 1, True, False, ""),
    ],
    ids=["vGPU", "passthrough", "static", "group"],
)
def test_what_each_variant_asks_of_hosts(spec: Any, devices: int, shares: bool, passes: bool, host: str) -> None:
    assert (spec.count, spec.shares_cards, spec.passes_cards_through, spec.host) == (devices, shares, passes, host)
