"""Drivers on machines where the real ones do not work."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.driver_fate import crash, missing_image
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object
from aiinfra.facts.gpus import gpu
from tests.unit.lab_controllers.world import a_pod

NVIDIAS = "nvcr.io/nvidia/driver"
NVRM = "NVRM: The NVIDIA GPU 0000:10:00.0 (PCI ID: 10de:"


def a_driver(image: str, modules: str = "") -> Object:
    pod = a_pod("nvidia-driver-daemonset")
    env = [{"name": "KERNEL_MODULE_TYPE", "value": modules}] if modules else []
    pod["spec"]["containers"][0] |= {"image": image, "env": env}
    return pod


@pytest.mark.parametrize(
    ("model", "tag", "modules", "says"),
    [
        (
            "B200", "595.91.07-ubuntu24.04", "proprietary",
            f"{NVRM}2901) installed in this system requires use of the NVIDIA open kernel modules. nvidia-smi: No"
            " devices were found",
        ),
        (
            "GH200-480GB", "580.105.08-ubuntu24.04", "proprietary",
            f"{NVRM}2342) installed in this system requires use of the NVIDIA open kernel modules. nvidia-smi: No"
            " devices were found",
        ),
        (
            "V100-SXM2-16GB", "580.105.08-ubuntu24.04", "open",
            f"{NVRM}1db1) installed in this system is not supported by open nvidia.ko because it does not include the"
            " required GPU System Processor (GSP)",
        ),
        (
            "V100-SXM2-16GB", "595.91.07-ubuntu24.04", "",
            f"{NVRM}1db1) installed in this system is not supported by the NVIDIA 595.91.07 driver release",
        ),
        (
            "B200", "535.183.06-ubuntu24.04", "open",
            f"{NVRM}2901) installed in this system is not supported by the NVIDIA 535.183.06 driver release",
        ),
        (
            "B200", "570.86.15-ubuntu24.04", "",
            f"{NVRM}2901) installed in this system is not supported by the NVIDIA 570.86.15 driver release",
        ),
        (
            "A100-SXM4-40GB", "595.91.07-ubuntu22.04", "",
            "Could not resolve Linux kernel version 6.8.0-85-generic: the image is made for ubuntu22.04",
        ),
        ("B200", "595.91.07-ubuntu24.04", "", ""),
        ("B200", "580-6.8.0-85-generic-ubuntu24.04", "auto", ""),
        ("V100-SXM2-16GB", "580.105.08-ubuntu24.04", "auto", ""),
        ("A100-SXM4-40GB", "535.183.06-ubuntu24.04", "auto", ""),
        ("A100-SXM4-40GB", "999.99.99-ubuntu24.04", "", ""),
    ],
)  # fmt: skip
def test_a_driver_ends_as_on_the_real_machine(model: str, tag: str, modules: str, says: str) -> None:
    driver = a_driver(f"{NVIDIAS}:{tag}", modules)
    assert crash(driver, Hardware(gpu(model), 8)) == says
    assert missing_image(driver, Hardware(gpu(model), 8)) == {}


@pytest.mark.parametrize(
    ("tag", "os", "kernel"),
    [
        ("595.91.07-debian12", "debian12", "6.1.0-40-amd64"),
        ("580.105.08-ubuntu26.04", "ubuntu26.04", "7.0.0-14-generic"),
        ("580-6.14.0-33-generic-ubuntu24.04", "ubuntu24.04", "6.14.0-33-generic"),
        ("595-6.8.0-85-lowlatency-ubuntu24.04", "ubuntu24.04", "6.8.0-85-lowlatency"),
        ("610-6.8.0-85-generic-ubuntu24.04", "ubuntu24.04", "6.8.0-85-generic"),
        ("595-5.14.0-570.el9.x86_64-rhel9", "rhel9.6", "5.14.0-570.el9.x86_64"),
    ],
)
def test_an_image_that_nvidia_never_published_is_not_found(tag: str, os: str, kernel: str) -> None:
    machine = Hardware(gpu("A100-SXM4-40GB"), 8, os, kernel)
    image = f"{NVIDIAS}:{tag}"
    assert missing_image(a_driver(image), machine) == {
        image: f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    }
    assert missing_image(a_driver(f"registry.corp.example/driver:{tag}"), machine) == {}


def test_a_vgpu_wants_a_driver_of_its_own() -> None:
    guest = Hardware(gpu("A100-PCIe-40GB"), 1, vgpu="A100-20C")
    assert crash(a_driver(f"{NVIDIAS}:595.91.07-ubuntu24.04"), guest) == (
        "NVRM: GPU 0000:02:00.0: RmInitAdapter failed! nvidia-smi: No devices were found"
    )
    assert crash(a_driver("registry.corp.example/vgpu-guest-driver:580.65.06-ubuntu24.04"), guest) == ""


def test_a_driver_of_an_nvidia_driver_object_is_judged_alike() -> None:
    driver = a_driver(f"{NVIDIAS}:595.91.07-ubuntu24.04", "proprietary")
    driver["metadata"]["labels"] = {"app": "nvidia-gpu-driver-x", "app.kubernetes.io/component": "nvidia-driver"}
    assert crash(driver, Hardware(gpu("B200"), 8)).startswith(f"{NVRM}2901) installed in this system requires use of")


def test_what_is_no_driver_is_not_judged() -> None:
    pod = a_pod("nvidia-device-plugin-daemonset")
    pod["spec"]["containers"][0]["image"] = f"{NVIDIAS}:535.183.06-ubuntu22.04"
    machine = Hardware(gpu("B200"), 8)
    assert (crash(pod, machine), missing_image(pod, machine)) == ("", {})
