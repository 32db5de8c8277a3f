"""What a template is to be: its settings, its name, and how differences read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aiinfra.domains.vsphere.marks import Owner
from aiinfra.domains.vsphere.template.content import (
    DynamicPassthrough,
    ResolvedPlacement,
    StaticPassthrough,
    TemplateContent,
    Vgpu,
    content_of,
    differences,
    tree_of,
)

OWNER = Owner("dc1", "0123456789ab", "template")
SPEC = TemplateContent(
    ResolvedPlacement("", "/dc1/host/gpu", "/dc1/datastore/ssd", "/dc1/vm/templates"),
    "/dc1/vm/templates/rhcos-4.22",
    (Vgpu("grid_a100-40c"),),
    cpus=16,
    cores_per_socket=1,
    memory_mib=131072,
    hardware_version=19,
    mmio_gb=512,
)


def test_all_that_a_clone_by_the_actuator_cannot_say_is_set() -> None:
    assert SPEC.settings() == {
        "firmware": "efi",
        "secure boot": False,
        "hardware version": 19,
        "CPUs": 16,
        "cores per socket": 1,
        "memory MiB": 131072,
        "memory reservation locked": True,
        "memory reservation MiB": 131072,
        "CPU hot add": False,
        "memory hot add": False,
        "disk UUID": True,
        "GPU devices": ("vGPU grid_a100-40c",),
        "device groups": (),
        "extraConfig disk.EnableUUID": "TRUE",
        "extraConfig pciPassthru.use64bitMMIO": "TRUE",
        "extraConfig pciPassthru.64bitMMIOSizeGB": "512",
    }


def test_the_name_follows_the_content() -> None:
    name = SPEC.name(OWNER)
    assert name.startswith("dc1-template-")
    assert len(name) == len("dc1-template-") + 8
    assert replace(SPEC, cpus=17).name(OWNER) != name
    two = replace(SPEC, devices=(Vgpu("grid_a100-40c"), DynamicPassthrough(0x10DE, 0x20F1)))
    assert two.name(OWNER) == replace(two, devices=tuple(reversed(two.devices))).name(OWNER)


def test_a_name_that_vcenter_refuses() -> None:
    long = Owner("e" * 40, "0123456789ab", "s" * 40)
    with pytest.raises(ValueError, match="has 90 characters, vCenter takes 80"):
        SPEC.name(long)


def test_differences_read_as_sentences() -> None:
    have = {
        **SPEC.settings(),
        "firmware": "bios",
        "memory reservation locked": False,
        "GPU devices": (),
        "extraConfig pciPassthru.use64bitMMIO": "true",
        "extraConfig pciPassthru.64bitMMIOSizeGB": None,
        "guest": "other",
    }
    assert [str(one) for one in differences(SPEC.settings(), have)] == [
        "firmware: is bios, should be efi",
        "memory reservation locked: is off, should be on",
        "GPU devices: is none, should be vGPU grid_a100-40c",
        "extraConfig pciPassthru.64bitMMIOSizeGB: is absent, should be 512",
    ]


def test_it_survives_the_state() -> None:
    spec = replace(
        SPEC,
        devices=(
            DynamicPassthrough(0x10DE, 0x20B5, "gpu-a100"),
            StaticPassthrough("0000:3b:00.0", 0x10DE, 0x20B5, "5f1e", "NVIDIA A100"),
        ),
        extra_config={"pciPassthru.allowP2P": "true"},
    )
    floats = json.loads(json.dumps(tree_of(spec)), parse_int=float)
    assert content_of(floats) == spec
    assert [str(device) for device in spec.devices] == [
        "passthrough of 10de:20b5 labelled gpu-a100",
        "passthrough of 0000:3b:00.0 (10de:20b5)",
    ]
