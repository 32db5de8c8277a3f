"""Whether a driver can work on a machine, by the matrix of `aiinfra.facts.drivers`. Pure.

What kinds refuse before a run and what the lab's driver pods die of is the same judgement.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Literal

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import IMAGES, os_tag
from aiinfra.facts import drivers
from aiinfra.facts.drivers import GpuRow, Modules, Version
from aiinfra.facts.gpus import Gpu

KernelModules = Literal["auto", "open", "proprietary"]
IMAGE = IMAGES["driver"].image
_SYSTEM = re.compile(r"([a-z-]+?)([\d.]*)")


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver as the operator installs it."""

    version: str
    """`580.105.08`, or a branch for precompiled ones; anything else is not judged."""
    modules: KernelModules = "auto"
    precompiled: bool = False
    nvidias: bool = True
    """Whether its image is NVIDIA's own; of others nothing is known."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What of a node decides on the driver."""

    gpu: Gpu | None = None
    """None when it is not known."""
    system: str = ""
    """ID and VERSION_ID of its os-release, written together: `rhel9.6`. Empty: not known."""
    kernel: str = ""
    vgpu: bool = False
    """Whether its GPUs are vGPUs that a hypervisor gives it."""

    @property
    def tag(self) -> str:
        """The system as image tags have it: `rhel9`."""
        found = _SYSTEM.fullmatch(self.system)
        return os_tag(found[1], found[2]) if found else self.system

    @property
    def family(self) -> str:
        """ID of its os-release: `rhel`."""
        found = _SYSTEM.fullmatch(self.system)
        return found[1] if found else self.system


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a driver does not work, or is not known to."""

    message: str
    hint: str
    source: str
    certain: bool = True
    """False: nobody says whether it works."""
    image_missing: bool = False
    """Whether it shows as an image that cannot be pulled."""
    log: str = ""
    """What the driver's container ends with, if it does."""


def setting_misfits(driver: Driver) -> Iterator[Misfit]:
    """Yield what is wrong with the settings of a driver by themselves."""
    version = drivers.version(driver.version)
    if driver.precompiled and (not driver.version or (version is not None and len(version) > 1)):
        says = f", not by {driver.version}" if driver.version else ": driver.version names none"
        yield Misfit(
            f"precompiled drivers are chosen by branch{says}",
            f'write "{driver.version.partition(".")[0] or "580"}"',
            "NVIDIA/cloud-native-docs gpu-operator/precompiled-drivers.rst",
        )
    elif version is None:
        return
    elif driver.modules == "auto" and drivers.earlier(version, drivers.AUTO_SINCE):
        yield Misfit(
            f"driver {driver.version} knows no kernel_module_type auto, which came with {drivers.AUTO_SINCE}",
            "set driver.kernel_module_type to open or proprietary",
            "NVIDIA/cloud-native-docs gpu-operator/getting-started.rst, driver.kernelModuleType",
        )
    elif driver.nvidias and str(version[0]) not in drivers.BRANCHES:
        yield Misfit(
            f"no driver branch {version[0]} was known in August 2026",
            f"check that {driver.version} is published",
            "NVIDIA/gpu-driver-container versions.mk",
            certain=False,
        )


def misfits(driver: Driver, machine: Machine) -> Iterator[Misfit]:
    """Yield why the driver does not work on the machine, or is not known to. Settings are judged elsewhere."""
    version = drivers.version(driver.version)
    if version is None:
        return
    yield from _missing_image(driver, version, machine)
    if machine.vgpu and driver.nvidias:
        yield Misfit(
            "its GPUs are vGPUs, which want NVIDIA's guest driver: there is no public image of it",
            "set driver.repository, driver.image and driver.version to your guest driver",
            "NVIDIA/cloud-native-docs gpu-operator/install-gpu-operator-vgpu.rst",
            log="NVRM: GPU 0000:02:00.0: RmInitAdapter failed! nvidia-smi: No devices were found",
        )
    if machine.gpu is not None:
        gpu, modules = machine.gpu, modules_of(driver, version, machine.gpu)
        row = next((row for row in drivers.GPU_ROWS if _strikes(row, gpu, version, modules)), None)
        if row is not None:
            names = {"gpu": gpu.name, "driver": driver.version, "modules": modules, "pci": gpu.pci_device.lower()}
            yield Misfit(row.problem.format(**names), row.hint, row.source, log=row.log.format(**names))


def modules_of(driver: Driver, version: Version, gpu: Gpu) -> Modules:
    """Return the kernel modules that the driver's container loads for a GPU."""
    if driver.modules != "auto":
        return driver.modules
    takes_open = not drivers.earlier(version, drivers.AUTO_SINCE) and gpu.family in drivers.AUTO_OPEN
    return "open" if takes_open else "proprietary"


def _strikes(row: GpuRow, gpu: Gpu, version: Version, modules: Modules) -> bool:
    if (row.families and gpu.family not in row.families) or (row.gpus and gpu.name not in row.gpus):
        return False
    if row.modules not in (None, modules):
        return False
    too_old = bool(row.before) and drivers.earlier(version, row.before)
    too_new = bool(row.since) and not drivers.earlier(version, row.since)
    return too_old or too_new or not (row.before or row.since)


def _missing_image(driver: Driver, version: Version, machine: Machine) -> Iterator[Misfit]:
    if not driver.nvidias or not machine.system:
        return
    if driver.precompiled:
        yield from _precompiled(str(version[0]), machine)
        return
    row = next((row for row in drivers.DRIVER_IMAGES if row.system == machine.tag), None)
    if row is None:
        yield _no_image(machine, certain=machine.family not in drivers.IMAGE_FAMILIES)
    elif row.since and drivers.earlier(version, row.since):
        yield Misfit(
            f"NVIDIA publishes no driver {driver.version} for {machine.tag}: {row.since} is the first branch",
            f"set driver.version to one of branch {row.since}",
            row.source,
            image_missing=True,
        )
    elif row.kernels and machine.kernel and not _of_series(machine.kernel, row.kernels):
        yield Misfit(
            f"NVIDIA's driver image for {machine.tag} is validated with kernels {', '.join(row.kernels)}, "
            f"not with {machine.kernel}",
            "boot the nodes with such a kernel",
            row.source,
            certain=False,
        )


def _no_image(machine: Machine, *, certain: bool) -> Misfit:
    known = ", ".join(row.system for row in drivers.DRIVER_IMAGES)
    says = "NVIDIA publishes no driver image" if certain else "no driver image of NVIDIA is known"
    return Misfit(
        f"{says} for {machine.tag}",
        f"use one of {known}; or set driver.repository to images of your own",
        drivers.DRIVER_IMAGES[0].source,
        certain=certain,
        image_missing=True,
    )


def _precompiled(branch: str, machine: Machine) -> Iterator[Misfit]:
    rows = [row for row in drivers.PRECOMPILED if row.system == machine.tag]
    mine = [row for row in rows if not machine.kernel or _of_series(machine.kernel, (row.kernel,))]
    flavor = machine.kernel.rpartition("-")[2]
    of_flavor = [row for row in mine if not machine.kernel or flavor in row.flavors]
    if any(branch in row.branches for row in of_flavor):
        return
    newest = max((int(one) for row in of_flavor for one in row.branches), default=0)
    older = bool(of_flavor) and branch in drivers.BRANCHES and int(branch) < newest
    where = f"{machine.tag}, kernel {machine.kernel}" if machine.kernel else machine.tag
    earlier = ", and whether it once did is not known" if older else ""
    yield Misfit(
        f"NVIDIA builds no precompiled driver {branch} for {where}{earlier}",
        "set driver.precompiled: false, or driver.repository to images of your own",
        drivers.PRECOMPILED[0].source,
        certain=not older,
        image_missing=True,
    )


def _of_series(kernel: str, series: Collection[str]) -> bool:
    return any(kernel == one or kernel.startswith((f"{one}.", f"{one}-")) for one in series)
