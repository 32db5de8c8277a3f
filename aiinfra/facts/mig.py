"""Which MIG instances fit together on one GPU.

A GPU with 7 compute slices has 8 memory slices, one with 4 has 4. An instance may start at some memory slices only
(NVIDIA/go-nvml `pkg/nvml/mock/gpus/a100.go`, `a30.go`). Those of RTX PRO 6000 are inferred from NVIDIA's counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from aiinfra.dataclass import dataclass

_SEVEN: Final = MappingProxyType(
    {(1, 1): range(7), (1, 2): (0, 2, 4, 6), (2, 2): (0, 2, 4), (3, 4): (0, 4), (4, 4): (0,), (7, 8): (0,)}
)
_FOUR: Final = MappingProxyType({(1, 1): range(4), (2, 2): (0, 2), (4, 4): (0,)})
STARTS: Final = MappingProxyType({7: _SEVEN, 4: _FOUR})
"""By the GPU's compute slices: memory slices at which an instance of (compute, memory) slices may start."""
MEMORY_SLICES: Final = MappingProxyType({7: 8, 4: 4})


PROFILES: Final = MappingProxyType(
    {
        "A100-SXM4-40GB": MappingProxyType({"1g.5gb": 7, "2g.10gb": 3, "3g.20gb": 2, "4g.20gb": 1, "7g.40gb": 1}),
        "A30": MappingProxyType({"1g.6gb": 4, "2g.12gb": 2, "4g.24gb": 1}),
        "A100-SXM4-80GB": MappingProxyType({"1g.10gb": 7, "2g.20gb": 3, "3g.40gb": 2, "4g.40gb": 1, "7g.80gb": 1}),
        "H200": MappingProxyType({"1g.18gb": 7, "2g.35gb": 3, "3g.71gb": 2, "4g.71gb": 1, "7g.141gb": 1}),
        "B200": MappingProxyType({"1g.23gb": 7, "2g.45gb": 3, "3g.90gb": 2, "4g.90gb": 1, "7g.180gb": 1}),
    }
)
"""How many instances of a profile one GPU holds, by a model that has it: NVIDIA MIG User Guide r610."""


def a_model_with(profile: str) -> tuple[str, int] | None:
    """Return a model that has a MIG profile, and how many of it fit on one; None for a profile that is not known."""
    return next(((model, counts[profile]) for model, counts in PROFILES.items() if profile in counts), None)


@dataclass(frozen=True, slots=True, order=True)
class MigInstance:
    """One instance by its share of the GPU."""

    compute: int
    memory: int
    media: bool = False
    """Owns the media engines; only one instance of a GPU can."""


def memory_slices(gpu_slices: int, gpu_memory_mib: int, instance_gb: int) -> int:
    """Return the memory slices of an instance with so much nominal memory; NVIDIA rounds the nominal size."""
    total = MEMORY_SLICES[gpu_slices]
    return min(
        size for size in (1, 2, 4, 8) if size == total or size * gpu_memory_mib * 1.06 / total >= instance_gb * 1024
    )


def fits(gpu_slices: int, instances: Sequence[MigInstance]) -> bool:
    """Whether placements exist at which these instances do not overlap."""
    if sum(one.compute for one in instances) > gpu_slices or sum(one.media for one in instances) > 1:
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
