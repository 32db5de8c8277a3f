"""Labels that NFD makes of described hardware."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.charts.nfd.standin.controller import PciSource, desired_labels, pci_source
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.facts.gpus import GPUS, UnknownGpu, gpu, nearest

PREFIX = "feature.node.kubernetes.io/"


def labels_of(machine: Hardware, source: PciSource | None = None) -> dict[str, str]:
    return {key.removeprefix(PREFIX): value for key, value in desired_labels(machine, source or PciSource()).items()}


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        (("vendor",), "pci-10de.present"),
        (("class", "vendor"), "pci-0302_10de.present"),
        (("vendor", "class"), "pci-0302_10de.present"),
        (("class", "vendor", "device"), "pci-0302_10de_20b0.present"),
    ],
)
def test_the_form_of_the_pci_label_follows_the_configured_fields(fields: tuple[str, ...], label: str) -> None:
    machine = Hardware(gpu("A100-SXM4-40GB"), 8)
    assert [key for key in labels_of(machine, PciSource(fields=fields)) if key.startswith("pci-")] == [label]


def test_a_workstation_gpu_is_a_display_controller() -> None:
    assert "pci-0300_10de.present" in labels_of(Hardware(gpu("RTX-A6000"), 1))


def test_a_node_without_gpus_has_no_pci_label() -> None:
    assert not [key for key in labels_of(Hardware()) if key.startswith("pci-")]


def test_a_class_that_is_not_listed_is_not_labelled() -> None:
    source = PciSource(classes=("02", "0200"), fields=("vendor",))
    assert not [key for key in labels_of(Hardware(gpu("L4"), 1), source) if key.startswith("pci-")]


@pytest.mark.parametrize(
    ("os", "kernel", "says"),
    [
        (
            "ubuntu24.04",
            "6.8.0-85-generic",
            {"ID": "ubuntu", "VERSION_ID": "24.04", "VERSION_ID.major": "24", "VERSION_ID.minor": "04"},
        ),
        ("rhel9.6", "5.14.0-570.el9", {"ID": "rhel", "VERSION_ID": "9.6"}),
        ("rhcos4.22", "5.14.0-570.el9", {"ID": "rhcos", "VERSION_ID": "4.22"}),
    ],
)
def test_os_and_kernel_are_labelled(os: str, kernel: str, says: dict[str, str]) -> None:
    found = labels_of(Hardware(os=os, kernel=kernel))
    assert says.items() <= {k.removeprefix("system-os_release."): v for k, v in found.items()}.items()
    assert found["kernel-version.full"] == kernel
    assert found["kernel-version.major"] == kernel[0]


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ("", ("class", "vendor")),
        ("sources: {pci: {deviceLabelFields: [vendor]}}", ("vendor",)),
        ("sources: {usb: {}}", ("class", "vendor")),
        ("not: [closed", ("class", "vendor")),
    ],
)
def test_what_the_worker_is_not_told_is_its_default(config: str, fields: tuple[str, ...]) -> None:
    assert pci_source(config).fields == fields


def test_every_gpu_has_its_own_device_id_but_a2_and_a16_which_differ_in_the_subsystem() -> None:
    seen = [(known.pci_device, known.pci_subsystem) for known in GPUS.values()]
    assert len(seen) == len(set(seen))
    twins = [known.name for known in GPUS.values() if known.pci_device == "25B6"]
    assert twins == ["A2", "A16"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("T4", "Tesla-T4"),
        ("A100-SXM4-40GB", "NVIDIA-A100-SXM4-40GB"),
        ("A100-PCIe-80GB", "NVIDIA-A100-80GB-PCIe"),
        ("h100-sxm5-80gb", "NVIDIA-H100-80GB-HBM3"),
        ("NVIDIA-H100-80GB-HBM3", "NVIDIA-H100-80GB-HBM3"),
        ("NVIDIA-L40S", "NVIDIA-L40S"),
    ],
)
def test_product_labels_are_nvmls_names_with_dashes(name: str, label: str) -> None:
    assert gpu(name).product_label == label


def test_mig_partitioned_models_are_spelled_device_first() -> None:
    assert gpu("A100-SXM4-80GB").device_filter == "0x20B210DE"


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownGpu) as refusal:
        gpu("A100-SXM-40GB")
    assert refusal.value.near == "A100-SXM4-40GB"
    assert nearest("zzz") == ""
