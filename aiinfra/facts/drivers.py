"""Which NVIDIA driver works with which kernel modules, GPU, system and kernel: one matrix, each row with its source.

A row says what does not work. What no row speaks of is not known to fail. `DriverImages`, `Precompiled` and
`Kubernetes` list what is published or validated: what they leave out may not exist, and nobody says so.
Sources: NVIDIA/cloud-native-docs (`gpu-operator/`, of 2026-08-21), NVIDIA/gpu-driver-container (of 2026-08-17),
NVIDIA/open-gpu-kernel-modules (README.md and src of each tag), NVIDIA's developer and UNIX pages.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal

from aiinfra.dataclass import dataclass
from aiinfra.facts.gpus import Family

Version = tuple[int, ...]
Modules = Literal["open", "proprietary"]

AUTO_SINCE: Final = "570.86.15"
"""The first driver container that chooses its kernel modules by itself (`kernelModuleType: auto`).

NVIDIA/cloud-native-docs gpu-operator/getting-started.rst. Older ones take the proprietary ones: they know only
OPEN_KERNEL_MODULES_ENABLED, which the operator sets for `open` (NVIDIA/gpu-operator controllers/object_controls.go).
"""
MODULE_TYPE_SINCE: Final = "25.3"
"""The first release of the GPU Operator with `kernelModuleType`; older ones have `useOpenKernelModules`, else off.

NVIDIA/cloud-native-docs gpu-operator/release-notes.rst, v25.3.0.
"""
AUTO_OPEN: Final[Collection[Family]] = ("turing", "ampere", "ada-lovelace", "hopper", "blackwell")
"""Families for which `auto` takes the open modules; the others have no GSP (NVIDIA driver README, kernel_open)."""
BRANCHES: Final = ("470", "510", "515", "525", "535", "550", "560", "565", "570", "575", "580", "590", "595", "610")
"""Branches that were published for Linux by 2026-08 (tags of NVIDIA/open-gpu-kernel-modules; versions.mk)."""
REGISTRY: Final = "nvcr.io/nvidia"
"""NVIDIA's registry, of which the tables of images speak."""


@dataclass(frozen=True, slots=True)
class GpuRow:
    """GPUs that a driver does not drive. Empty conditions hold for all."""

    problem: str
    """`{gpu}`, `{driver}` and `{modules}` are filled in."""
    log: str
    """What the driver writes then; also `{pci}`."""
    hint: str
    source: str
    date: str
    """When the source said so, ISO 8601."""
    families: Collection[Family] = ()
    gpus: Collection[str] = ()
    """Names in `aiinfra.facts.gpus`."""
    modules: Modules | None = None
    before: str = ""
    """The first version that drives them."""
    since: str = ""
    """The first version that drives them no more."""


_OLD: Final[tuple[Family, ...]] = ("pascal", "volta")
_BLACKWELL: Final[tuple[Family, ...]] = ("blackwell",)
_GPU: Final = "NVRM: The NVIDIA GPU 0000:10:00.0 (PCI ID: 10de:{pci}) installed in this system "
_OPEN_ONLY: Final = "{gpu} works with the open kernel modules only, not with the {modules} ones"
_OPEN_ONLY_LOG: Final = _GPU + "requires use of the NVIDIA open kernel modules. nvidia-smi: No devices were found"
_RELEASE_LOG: Final = _GPU + "is not supported by the NVIDIA {driver} driver release"
_TOO_OLD: Final = "driver {driver} does not drive {gpu}"
GPU_ROWS: Final[Sequence[GpuRow]] = (
    GpuRow(
        "driver {driver} no longer drives {gpu}: branch 580 is the last that does",
        _RELEASE_LOG,
        "set driver.version to one of branch 580",
        "NVIDIA, UNIX graphics feature deprecation schedule: release 580 is the last for Maxwell, Pascal and Volta",
        "2025-07-01",
        families=_OLD,
        since="590",
    ),
    GpuRow(
        _TOO_OLD + ", which needs 570.133.20",
        _RELEASE_LOG,
        "set driver.version to 570.133.20 or later",
        "NVIDIA/cloud-native-docs gpu-operator/platform-support.rst, B-series",
        "2026-08-21",
        gpus=("B200",),
        before="570.133.20",
    ),
    GpuRow(
        _TOO_OLD + ", which needs 575.57.08",
        _RELEASE_LOG,
        "set driver.version to 575.57.08 or later",
        "NVIDIA/cloud-native-docs gpu-operator/platform-support.rst, RTX-series",
        "2026-08-21",
        gpus=("RTX-PRO-6000-Blackwell-Server",),
        before="575.57.08",
    ),
    GpuRow(
        _TOO_OLD + ": branch 570 is the first for Blackwell",
        _RELEASE_LOG,
        "set driver.version to one of branch 580 or later",
        "NVIDIA/open-gpu-kernel-modules README.md: GPUs of tags 550.54.14 and 570.86.15",
        "2025-01-16",
        families=_BLACKWELL,
        before="570",
    ),
    GpuRow(
        _TOO_OLD + ": branch 525 is the first for H100",
        _RELEASE_LOG,
        "set driver.version to one of branch 535 or later",
        "NVIDIA AI Enterprise 3.0 release notes: vGPU 15.0 supports H100",
        "2022-12-01",
        gpus=("H100-PCIe-80GB", "H100-SXM5-80GB"),
        before="525",
    ),
    GpuRow(
        _OPEN_ONLY,
        _OPEN_ONLY_LOG,
        "set driver.kernel_module_type: open",
        "NVIDIA driver README, Open Linux Kernel Modules: Blackwell and later",
        "2026-08-14",
        families=_BLACKWELL,
        modules="proprietary",
    ),
    GpuRow(
        _OPEN_ONLY,
        _OPEN_ONLY_LOG,
        "set driver.kernel_module_type: open",
        "NVIDIA/cloud-native-docs gpu-operator/platform-support.rst, GH-series",
        "2026-08-21",
        gpus=("GH200-480GB", "GH200-144G-HBM3e"),
        modules="proprietary",
    ),
    GpuRow(
        "{gpu} has no GSP, so the open kernel modules do not drive it",
        _GPU + "is not supported by open nvidia.ko because it does not include the required GPU System Processor (GSP)",
        "set driver.kernel_module_type: proprietary",
        "NVIDIA/open-gpu-kernel-modules src/nvidia/arch/nvalloc/unix/src/osapi.c, README.md (Turing and later)",
        "2026-03-01",
        families=_OLD,
        modules="open",
    ),
)
"""Versions before modules: the first row that strikes is told, and another module does not help a driver too old."""


@dataclass(frozen=True, slots=True)
class DriverImages:
    """Driver images that compile on the node, which NVIDIA publishes for one system."""

    system: str
    """As the tag has it: `ubuntu24.04`, `rhel9`."""
    source: str
    date: str
    since: str = ""
    """The first branch; empty: not known."""
    kernels: Collection[str] = ()
    """Kernel series that are validated; empty: nothing is said."""


_CONTAINER: Final = "NVIDIA/gpu-driver-container .common-ci.yml"
_PLATFORM: Final = "NVIDIA/cloud-native-docs gpu-operator/platform-support.rst"
DRIVER_IMAGES: Final[Sequence[DriverImages]] = (
    DriverImages("ubuntu22.04", _PLATFORM, "2026-08-21", kernels=("5.15", "6.5", "6.8")),
    DriverImages("ubuntu24.04", _PLATFORM, "2026-08-21"),
    DriverImages("ubuntu26.04", _CONTAINER, "2026-08-17", since="595"),
    *(DriverImages(f"rhel{major}", _PLATFORM, "2026-08-21") for major in (8, 9, 10)),
    *(DriverImages(f"rocky{major}", _PLATFORM, "2026-08-21") for major in (8, 9, 10)),
    *(DriverImages(f"rhcos4.{minor}", _PLATFORM, "2026-08-21") for minor in range(18, 23)),
)
IMAGE_FAMILIES: Final = ("ubuntu", "rhel", "rocky", "rhcos", "ol", "sles", "sl-micro")
"""IDs of systems for which NVIDIA or a partner ever made driver images; there are none for any other."""


@dataclass(frozen=True, slots=True)
class Precompiled:
    """Driver images with modules for the kernels of one series, which NVIDIA publishes for one system."""

    system: str
    kernel: str
    """Series: `6.8`."""
    flavors: Collection[str]
    branches: Collection[str]
    source: str = "NVIDIA/gpu-driver-container .github/precompiled-matrix-config.json"
    date: str = "2026-08-17"


_FLAVORS: Final = ("aws", "azure", "generic", "nvidia", "oracle")
PRECOMPILED: Final[Sequence[Precompiled]] = (
    Precompiled("ubuntu22.04", "5.15", _FLAVORS, ("580", "595")),
    Precompiled("ubuntu22.04", "6.8", _FLAVORS, ("580", "595")),
    Precompiled("ubuntu24.04", "6.8", (*_FLAVORS, "azure-fde"), ("580", "595")),
    Precompiled("ubuntu26.04", "7.0", (*_FLAVORS, "azure-fde"), ("595",)),
)
"""Older branches were published too, and are no longer built: whether their images are there is not known."""


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Versions of Kubernetes that a release of the GPU Operator is validated with."""

    chart: str
    """The release: `v26.7`."""
    first: Version
    last: Version
    source: str = _PLATFORM
    date: str = "2026-08-21"


KUBERNETES: Final[Sequence[Kubernetes]] = (Kubernetes("v26.7", (1, 32), (1, 36)),)
"""1.32 with Ubuntu 24.04 alone, 1.33 with all systems."""


def version(text: str) -> Version | None:
    """Return `580.105.08` as numbers, a branch alone as one; None for anything else."""
    parts = text.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else None


def earlier(driver: Version, than: str) -> bool:
    """Whether a driver is of an earlier version. A branch alone stands for its newest driver."""
    other = version(than) or ()
    return driver < other[: len(driver)]
