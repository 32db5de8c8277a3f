"""vGPU types against figures that stand in NVIDIA's own tables."""

from __future__ import annotations

import pytest

from aiinfra.domains.vsphere.facts.vgpu import BY_GPU, FAMILIES, ProfileName, VgpuType, family_of, most_per_gpu
from aiinfra.facts.gpus import GPUS


@pytest.mark.parametrize(
    ("profile", "most"),
    [
        ("grid_a100-4c", 10),
        ("grid_a100-40c", 1),
        ("grid_a100-1-5c", 7),
        ("grid_a100-1-5cme", 1),
        ("grid_a100d-10c", 8),
        ("GRID_A100-3-20C", 2),
        ("grid_h100xm-16c", 5),
        ("grid_l40s-24c", 2),
        ("grid_rtx6000-ada-48c", 1),
        ("grid_a100-7c", None),
        ("grid_z9-1c", None),
        ("a100-4c", None),
    ],
)
def test_how_many_fit_on_a_card(profile: str, most: int | None) -> None:
    assert most_per_gpu(profile) == most


def test_a_profile_is_taken_apart() -> None:
    assert ProfileName.of("grid_a100-3-20c") == ProfileName("a100", VgpuType(20, "C", 3))
    assert ProfileName.of("grid_a100x-40c") == ProfileName("a100x", VgpuType(40, "C"))
    assert ProfileName.of("grid_a100") is None
    assert ProfileName.of("grid_a100-c") is None


def test_every_family_is_of_cards_that_we_know() -> None:
    assert set(BY_GPU) <= set(GPUS)
    assert len(BY_GPU) == sum(len(family.gpus) for family in FAMILIES)


def test_what_fits_on_a_card_fits_in_its_memory() -> None:
    for family in FAMILIES:
        for name, most in family.time_sliced.items():
            kind = VgpuType.of(name)
            assert kind is not None
            for gpu in family.gpus:
                assert kind.size_gb * most <= GPUS[gpu].memory_mib / 1024 * 1.08, (family.name, name)


def test_only_cards_with_mig_have_types_behind_mig() -> None:
    assert [f.name for f in FAMILIES if f.mig and not all(GPUS[gpu].mig_capable for gpu in f.gpus)] == []
    assert family_of("grid_a100dx-80c") is BY_GPU["A100-SXM4-80GB"]
