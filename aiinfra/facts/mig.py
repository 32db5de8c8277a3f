"""Which MIG instances a GPU can be cut into: the profiles of each model, and which fit together.

A GPU with 7 compute slices has 8 memory slices, one with 4 or 2 as many. An instance may start at some memory slices
only (NVIDIA/go-nvml `pkg/nvml/mock/gpus/a100.go`, `a30.go`); those of RTX PRO are inferred from NVIDIA's counts. The
named configurations are those of NVIDIA's MIG manager (NVIDIA/mig-parted `pkg/mig/builder`, of 2026-08-21).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from aiinfra.dataclass import dataclass
from aiinfra.facts.gpus import GPUS, Gpu

_SEVEN: Final = MappingProxyType(
    {(1, 1): range(7), (1, 2): (0, 2, 4, 6), (2, 2): (0, 2, 4), (3, 4): (0, 4), (4, 4): (0,), (7, 8): (0,)}
)
_FOUR: Final = MappingProxyType({(1, 1): range(4), (2, 2): (0, 2), (4, 4): (0,)})
_TWO: Final = MappingProxyType({(1, 1): range(2), (2, 2): (0,)})
STARTS: Final = MappingProxyType({7: _SEVEN, 4: _FOUR, 2: _TWO})
"""By the GPU's compute slices: memory slices at which an instance of (compute, memory) slices may start."""
MEMORY_SLICES: Final = MappingProxyType({7: 8, 4: 4, 2: 2})
BALANCED: Final = MappingProxyType({7: MappingProxyType({1: 2, 2: 1, 3: 1}), 4: MappingProxyType({1: 2, 2: 1})})
"""By the GPU's compute slices: instances of `all-balanced` by theirs (NVIDIA/mig-parted `balanced.go`)."""
Media = Literal["", "+me", "+me.all", "-me", "+gfx"]
"""What an instance has of the engines for video and graphics, as the name of its profile ends."""


@dataclass(frozen=True, slots=True, order=True)
class MigInstance:
    """One instance by its share of the GPU."""

    compute: int
    memory: int
    media: Media = ""
    """`+me`: the media extensions, of which a GPU has one; `+me.all`: all media engines, the others have none."""


@dataclass(frozen=True, slots=True)
class MigProfile:
    """Instances of one kind."""

    name: str
    """As nvidia-smi writes it: `1g.5gb+me`."""
    instance: MigInstance
    most: int
    """How many of it alone one GPU holds."""


@dataclass(frozen=True, slots=True)
class MigRow:
    """Models whose GPUs have the same profiles."""

    gpus: Sequence[str]
    """Names in `aiinfra.facts.gpus`."""
    profiles: Mapping[str, MigProfile]
    """By name."""
    source: str
    date: str
    """When the source said so, ISO 8601."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What one GPU is cut into."""

    enabled: bool = False
    """MIG mode."""
    counts: tuple[tuple[str, int], ...] = ()
    """Instances by the name of their profile, in the order of names."""


WHOLE: Final = Geometry()
_CONFIG: Final = "NVIDIA/gpu-operator assets/state-mig-manager/0400_configmap.yaml; NVIDIA MIG User Guide r610"
_DATE: Final = "2026-08-21"


def _profile(text: str, gpu_slices: int, smallest: int) -> MigProfile:
    name, _, most = text.partition(":")
    media = next(end for end in _ENDS if name.endswith(end))
    compute, gigabytes = (int(part) for part in name.removesuffix(media).removesuffix("gb").split("g."))
    double = compute == 1 and gigabytes > smallest
    memory = MEMORY_OF[gpu_slices][compute] * (2 if double else 1)
    return MigProfile(name, MigInstance(compute, memory, media), int(most))


_ENDS: Final[Sequence[Media]] = ("+me.all", "+me", "-me", "+gfx", "")
MEMORY_OF: Final = MappingProxyType({7: {1: 1, 2: 2, 3: 4, 4: 4, 7: 8}, 4: {1: 1, 2: 2, 4: 4}})
"""By the GPU's compute slices: memory slices of an instance by its compute slices; one of 1 can have twice as many."""


def _row(gpus: str, counts: str, source: str = _CONFIG) -> MigRow:
    models = gpus.split()
    slices = GPUS[models[0]].mig_slices
    smallest = int(counts.partition("1g.")[2].partition("gb")[0])
    profiles = [_profile(text, slices, smallest) for text in counts.split()]
    return MigRow(models, MappingProxyType({each.name: each for each in profiles}), source, _DATE)


ROWS: Final[Sequence[MigRow]] = (
    _row(
        "A100-SXM4-40GB A100-PCIe-40GB",
        "1g.5gb:7 1g.5gb+me:1 1g.10gb:4 2g.10gb:3 3g.20gb:2 4g.20gb:1 7g.40gb:1",
    ),
    _row(
        "A100-SXM4-80GB A100-PCIe-80GB H100-SXM5-80GB H100-PCIe-80GB H800-PCIe H800",
        "1g.10gb:7 1g.10gb+me:1 1g.20gb:4 2g.20gb:3 3g.40gb:2 4g.40gb:1 7g.80gb:1",
    ),
    _row("A30", "1g.6gb:4 1g.6gb+me:1 2g.12gb:2 2g.12gb+me:1 4g.24gb:1"),
    _row("H100-NVL", "1g.12gb:7 1g.12gb+me:1 1g.24gb:4 2g.24gb:3 3g.47gb:2 4g.47gb:1 7g.94gb:1"),
    _row("GH200-480GB H20", "1g.12gb:7 1g.12gb+me:1 1g.24gb:4 2g.24gb:3 3g.48gb:2 4g.48gb:1 7g.96gb:1"),
    _row("H200 H200-NVL", "1g.18gb:7 1g.18gb+me:1 1g.35gb:4 2g.35gb:3 3g.71gb:2 4g.71gb:1 7g.141gb:1"),
    _row("GH200-144G-HBM3e", "1g.18gb:7 1g.18gb+me:1 1g.36gb:4 2g.36gb:3 3g.72gb:2 4g.72gb:1 7g.144gb:1"),
    _row("B200", "1g.23gb:7 1g.23gb+me:1 1g.45gb:4 2g.45gb:3 3g.90gb:2 4g.90gb:1 7g.180gb:1"),
    _row("GB200", "1g.23gb:7 1g.23gb+me:1 1g.47gb:4 2g.47gb:3 3g.93gb:2 4g.93gb:1 7g.186gb:1"),
    _row(
        "RTX-PRO-6000-Blackwell-Server",
        "1g.24gb:4 1g.24gb+me:1 1g.24gb+gfx:4 1g.24gb+me.all:1 1g.24gb-me:4"
        " 2g.48gb:2 2g.48gb+gfx:2 2g.48gb+me.all:1 2g.48gb-me:2 4g.96gb:1 4g.96gb+gfx:1",
        f"{_CONFIG}; nvidia-smi mig -lgip in bigstack-oss/cubecos issue 312",
    ),
)
"""How many instances of each profile one GPU holds."""
_BY_GPU: Final = {gpu: row for row in ROWS for gpu in row.gpus}


@lru_cache(maxsize=64)
def profiles(gpu: Gpu) -> Mapping[str, MigProfile]:
    """Return the profiles of a GPU by name; none without MIG. Those of a GPU that no row has are named by its memory.

    The size in a name is the share of the memory, rounded, of the whole in GiB, rounded up (NVIDIA/go-nvlib
    pkg/nvlib/device/mig_profile.go).
    """
    if gpu.name in _BY_GPU:
        return _BY_GPU[gpu.name].profiles
    if gpu.mig_slices not in STARTS:
        return {}
    whole, total = -(-gpu.memory_mib // 1024), MEMORY_SLICES[gpu.mig_slices]
    made = {}
    for compute, memory in STARTS[gpu.mig_slices]:
        name = f"{compute}g.{(2 * whole * memory + total) // (2 * total)}gb"
        instance = MigInstance(compute, memory)
        made[name] = MigProfile(name, instance, room(gpu.mig_slices, [], instance))
    return MappingProxyType(made)


def named_geometry(gpu: Gpu, config: str) -> Geometry | None:
    """Return what the MIG manager makes of one GPU for the value of a node's label; None for a name it does not know.

    It reads the profiles from the hardware, and names a configuration after each: `all-1g.5gb.me` is as many
    `1g.5gb+me` as fit. `all-balanced` mixes the smallest profiles.
    """
    known = profiles(gpu)
    if not known:
        return None
    named = {f"all-{resource_suffix(name)}": {name: profile.most} for name, profile in known.items()}
    smallest: dict[int, str] = {}
    for name, profile in known.items():
        if not profile.instance.media:
            smallest.setdefault(profile.instance.compute, name)
    if mix := BALANCED.get(gpu.mig_slices):
        named["all-balanced"] = {smallest[compute]: count for compute, count in mix.items()}
    named["all-enabled"] = {}
    if config == "all-disabled":
        return WHOLE
    return geometry(named[config]) if config in named else None


def geometry(counts: Mapping[str, int]) -> Geometry:
    """Return MIG mode with so many instances of each profile."""
    return Geometry(enabled=True, counts=tuple(sorted((name, count) for name, count in counts.items() if count)))


def holds(gpu: Gpu, counts: Mapping[str, int]) -> bool:
    """Whether one GPU can have so many instances of each profile, which is named as nvidia-smi writes it."""
    known = profiles(gpu)
    if any(name not in known for name in counts):
        return False
    return fits(gpu.mig_slices, [known[name].instance for name, count in counts.items() for _ in range(count)])


def resource_suffix(profile: str) -> str:
    """Return `1g.5gb.me` for `1g.5gb+me`: as resources, labels and configurations write it."""
    return profile.replace("+", ".")


def a_model_with(suffix: str) -> tuple[str, int] | None:
    """Return a model that has a MIG profile, and how many of it fit on one; None for a profile that is not known.

    Of several models, it is the first of those with most; `suffix` is that of a resource: `1g.5gb.me`.
    """
    found = [
        (row.gpus[0], profile.most)
        for row in ROWS
        for name, profile in row.profiles.items()
        if resource_suffix(name) == suffix
    ]
    return max(found, key=lambda each: each[1], default=None)


def memory_slices(gpu_slices: int, gpu_memory_mib: int, instance_gb: int) -> int:
    """Return the memory slices of an instance with so much nominal memory; NVIDIA rounds the nominal size."""
    total = MEMORY_SLICES[gpu_slices]
    return min(
        size for size in (1, 2, 4, 8) if size == total or size * gpu_memory_mib * 1.06 / total >= instance_gb * 1024
    )


def fits(gpu_slices: int, instances: Sequence[MigInstance]) -> bool:
    """Whether placements exist at which these instances do not overlap, and media engines for all of them."""
    media = [one.media for one in instances]
    if sum(one.compute for one in instances) > gpu_slices or sum(each in ("+me", "+me.all") for each in media) > 1:
        return False
    if "+me.all" in media and media.count("-me") < len(media) - 1:
        return False
    return _place(STARTS[gpu_slices], sorted(instances, key=lambda one: -one.memory), frozenset())


def room(gpu_slices: int, held: Sequence[MigInstance], instance: MigInstance) -> int:
    """Return how many more of `instance` fit beside those `held`, if the driver may still choose all placements."""
    count = 0
    while fits(gpu_slices, [*held, *[instance] * (count + 1)]):
        count += 1
    return count


def _place(
    starts: MappingProxyType[tuple[int, int], Sequence[int]], instances: Sequence[MigInstance], taken: frozenset[int]
) -> bool:
    if not instances:
        return True
    first, *rest = instances
    for start in starts.get((first.compute, first.memory), ()):
        here = frozenset(range(start, start + first.memory))
        if not here & taken and _place(starts, rest, taken | here):
            return True
    return False
