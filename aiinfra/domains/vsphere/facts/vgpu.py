"""NVIDIA's vGPU types: which a card offers, and how many of one type fit on it.

Source: NVIDIA/gpu-operator v26.7.0 `assets/state-vgpu-device-manager/0500_configmap.yaml` (ConfigMap
`default-vgpu-devices-config`), NVIDIA/vgpu-device-manager `examples/`. A type is `<family>-<size><series>`; one that is
MIG-backed has two numbers: compute slices, then frame buffer in GB. Series: A applications, B virtual PC, C compute,
Q workstation; `ME` has the media engines. Which of these a host offers is asked of the host, never concluded from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Final

from aiinfra.dataclass import dataclass

_TYPE = re.compile(r"(?:(?P<slices>\d+)-)?(?P<size>\d+)(?P<series>[A-Z]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class VgpuType:
    """The part of a type's name behind the family."""

    size_gb: int
    """Frame buffer, nominal."""
    series: str
    """`C`, `Q`, `CME`, …; empty where NVIDIA writes none."""
    slices: int = 0
    """Compute slices of the MIG instance behind it; 0: it is time-sliced."""

    @classmethod
    def of(cls, suffix: str) -> VgpuType | None:
        """Parse `40C` or `3-20C`; None for anything else."""
        found = _TYPE.fullmatch(suffix)
        return found and cls(int(found["size"]), found["series"].upper(), int(found["slices"] or 0))


@dataclass(frozen=True, slots=True)
class VgpuFamily:
    """The types of one family of cards; numbers are the most of that type on one physical GPU."""

    name: str
    """Name as in the types' names: `A100D`."""
    gpus: tuple[str, ...]
    """Names in `aiinfra.facts.gpus`."""
    time_sliced: Mapping[str, int]
    mig: Mapping[str, int] = field(default_factory=dict)


def _counts(text: str) -> Mapping[str, int]:
    return MappingProxyType({name: int(most) for name, _, most in (pair.partition(":") for pair in text.split())})


_16 = _counts("4C:4 8C:2 16C:1 1Q:16 2Q:8 4Q:4 8Q:2 16Q:1")
_24 = _counts("4C:6 6C:4 8C:3 12C:2 24C:1 1Q:24 2Q:12 3Q:8")
_48 = _counts("4C:12 6C:8 8C:6 12C:4 16C:3 24C:2 48C:1 1Q:32 2Q:24 3Q:16")
_A100_40 = _counts("4C:10 5C:8 8C:5 10C:4 20C:2 40C:1")
_A100_40_MIG = _counts("1-5C:7 1-5CME:1 1-10C:4 2-10C:3 3-20C:2 4-20C:1 7-40C:1")
_A100_80 = _counts("4C:20 8C:10 10C:8 16C:5 20C:4 40C:2 80C:1")
_80_MIG = _counts("1-10C:7 1-10CME:1 1-20C:4 2-20C:3 3-40C:2 4-40C:1 7-80C:1")
_H100_80 = _counts("4C:20 5C:16 8C:10 10C:8 16C:5 20C:4 40C:2 80C:1")
_H100_94 = _counts("4C:23 6C:15 11C:8 15C:6 23C:4 47C:2 94C:1")
_94_MIG = _counts("1-12C:7 1-12CME:1 1-24C:4 2-24C:3 3-47C:2 4-47C:1 7-94C:1")
_H200 = _counts("4C:32 7C:20 8C:16 14C:10 17C:8 28C:5 35C:4 70C:2 141C:1")
_H200_MIG = _counts("1-18C:7 1-18CME:1 1-35C:4 2-35C:3 3-71C:2 4-71C:1 7-141C:1")
_B200_MIG = _counts("1-23C:7 1-23CME:1 1-45C:4 2-45C:3 3-90C:2 4-90C:1 7-180C:1")
_PRO_6000 = _counts("3Q:32 4Q:24 6Q:16 8:12 12:8 16:6 24:4 32:3 48:2 96:1")

FAMILIES: Final = (
    VgpuFamily("T4", ("T4",), _16),
    VgpuFamily("A2", ("A2",), _16),
    VgpuFamily("A16", ("A16",), _16),
    VgpuFamily("A10", ("A10",), _24),
    VgpuFamily("L4", ("L4",), _24),
    VgpuFamily("A40", ("A40",), _48),
    VgpuFamily("L40", ("L40",), _48),
    VgpuFamily("L40S", ("L40S",), _48),
    VgpuFamily("RTX6000-Ada", ("RTX-6000-Ada",), _48),
    VgpuFamily("RTXA6000", ("RTX-A6000",), _48),
    VgpuFamily(
        "A30",
        ("A30",),
        _counts("4C:6 6C:4 8C:3 12C:2 24C:1"),
        _counts("1-6C:4 1-6CME:1 2-12C:2 2-12CME:1 4-24C:1"),
    ),
    VgpuFamily("A100", ("A100-PCIe-40GB",), _A100_40, _A100_40_MIG),
    VgpuFamily("A100X", ("A100-SXM4-40GB",), _A100_40, _A100_40_MIG),
    VgpuFamily("A100D", ("A100-PCIe-80GB",), _A100_80, _80_MIG),
    VgpuFamily("A100DX", ("A100-SXM4-80GB",), _A100_80, _80_MIG),
    VgpuFamily("H100", ("H100-PCIe-80GB",), _H100_80, _80_MIG),
    VgpuFamily("H100XM", ("H100-SXM5-80GB",), _H100_80, _80_MIG),
    VgpuFamily("H100L", ("H100-NVL",), _H100_94, _94_MIG),
    VgpuFamily("H200", ("H200-NVL",), _H200, _H200_MIG),
    VgpuFamily("H200X", ("H200",), _H200, _H200_MIG),
    VgpuFamily("GH200", ("GH200-480GB",), _counts("96C:1")),
    VgpuFamily("GH200L", ("GH200-144G-HBM3e",), _counts("144C:1")),
    VgpuFamily("B200X", ("B200",), _counts("180C:1"), _B200_MIG),
    VgpuFamily("GB200", ("GB200",), _counts("189C:1")),
    VgpuFamily("DC", ("RTX-PRO-6000-Blackwell-Server",), _PRO_6000, _counts("1-24C:4 2-48C:2 4-96C:1")),
)
"""Families whose card has no entry in `aiinfra.facts.gpus` are left out."""

BY_GPU: Final[Mapping[str, VgpuFamily]] = MappingProxyType({gpu: family for family in FAMILIES for gpu in family.gpus})


@dataclass(frozen=True, slots=True)
class ProfileName:
    """A profile as a host lists it (`grid_a100-3-20c`), taken apart. Matching is in any case, behind the first `_`."""

    family: str
    """Lower case."""
    type: VgpuType

    @classmethod
    def of(cls, name: str) -> ProfileName | None:
        """Parse the name of a profile; None for a name of another form."""
        family, _, suffix = name.lower().partition("_")[2].partition("-")
        if suffix.startswith("ada-"):
            family, suffix = f"{family}-ada", suffix.removeprefix("ada-")
        known = VgpuType.of(suffix)
        return cls(family, known) if family and known else None


def family_of(profile: str) -> VgpuFamily | None:
    """Return the family whose types a host's profile name belongs to; None when we do not know it."""
    name = ProfileName.of(profile)
    return next((family for family in FAMILIES if name and family.name.lower() == name.family), None)


def nominal_gb(profile: str) -> int | None:
    """Return the memory of a profile's card as NVIDIA counts it for vGPUs; a host reports a little less."""
    family = family_of(profile)
    sizes = ((VgpuType.of(name), most) for name, most in (family.time_sliced.items() if family else ()))
    return max((kind.size_gb * most for kind, most in sizes if kind), default=None)


def most_per_gpu(profile: str) -> int | None:
    """Return how many vGPUs of a host's profile fit on one card; None when it is not known."""
    family = family_of(profile)
    if family is None:
        return None
    suffix = profile.partition("_")[2][len(family.name) + 1 :].upper()
    return family.time_sliced.get(suffix, family.mig.get(suffix))
