"""What becomes of a driver's pod on a machine of the lab, by the matrix that kinds are judged by. Pure.

The image says which driver it is and for which system it was made; a real container learns the rest from the machine.
"""

from __future__ import annotations

from typing import cast

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.driver_fit import Driver, KernelModules, Machine, Misfit, misfits
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import IMAGES
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import MODULES_VARIABLE
from aiinfra.domains.kubernetes.lab.controllers.faults import is_driver, pull_error
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object

_NVIDIAS = f"{IMAGES['driver'].repository}/{IMAGES['driver'].image}:"


@dataclass(frozen=True, slots=True)
class _Image:
    driver: Driver
    system: str
    """As its tag ends: `ubuntu24.04`."""


def missing_image(pod: Object, machine: Hardware) -> dict[str, str]:
    """Return the registry's answer by the image of a driver's pod that was never published; empty for any other."""
    image = _text(pod)
    return {image: pull_error(image)} if any(one.image_missing for one in _certain(pod, machine)) else {}


def crash(pod: Object, machine: Hardware) -> str:
    """Return what the driver's container ends with on this machine; empty when it comes up."""
    read = _read(pod)
    if read is None:
        return ""
    if read.system and read.system != _machine(machine).tag:
        return f"Could not resolve Linux kernel version {machine.kernel}: the image is made for {read.system}"
    return next((one.log for one in _certain(pod, machine) if one.log), "")


def _certain(pod: Object, machine: Hardware) -> list[Misfit]:
    read = _read(pod)
    return [one for one in misfits(read.driver, _machine(machine)) if one.certain] if read else []


def _machine(machine: Hardware) -> Machine:
    return Machine(machine.gpu, machine.os, machine.kernel, vgpu=bool(machine.vgpu))


def _read(pod: Object) -> _Image | None:
    """What the image of a driver's pod is; None for other pods, and for images without a tag."""
    image = _text(pod)
    name, _, tag = image.rpartition(":")
    if not is_driver(pod) or "@" in image or not name:
        return None
    version, *middle = tag.split("-")
    given = {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0].get("env") or ()}
    modules = cast("KernelModules", given.get(MODULES_VARIABLE) or "auto")
    driver = Driver(version, modules, precompiled=len(middle) > 1, nvidias=image.startswith(_NVIDIAS))
    return _Image(driver, middle[-1] if middle else "")


def _text(pod: Object) -> str:
    return str(pod["spec"]["containers"][0].get("image", ""))
