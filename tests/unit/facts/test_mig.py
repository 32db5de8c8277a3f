"""MIG geometries: what NVIDIA's tables allow and refuse."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.domains.vsphere.facts.vgpu import BY_GPU
from aiinfra.facts.gpus import GPUS, Gpu
from aiinfra.facts.mig import (
    ROWS,
    STARTS,
    Geometry,
    MigInstance,
    a_model_with,
    fits,
    holds,
    memory_slices,
    named_geometry,
    profiles,
    resource_suffix,
    room,
)

ONE, ONE_DOUBLE, TWO = MigInstance(1, 1), MigInstance(1, 2), MigInstance(2, 2)
THREE, FOUR, SEVEN = MigInstance(3, 4), MigInstance(4, 4), MigInstance(7, 8)
KINDS = st.sampled_from([ONE, ONE_DOUBLE, TWO, THREE, FOUR, SEVEN])


@pytest.mark.parametrize(
    "instances",
    [[THREE, THREE], [FOUR, THREE], [FOUR, TWO, ONE], [THREE, TWO, ONE, ONE], [TWO, TWO, TWO, ONE], [THREE, TWO, TWO]],
)
def test_geometries_that_exist(instances: list[MigInstance]) -> None:
    assert fits(7, instances)


@pytest.mark.parametrize("instances", [[FOUR, FOUR], [THREE, THREE, ONE], [SEVEN, ONE], [TWO] * 4, [ONE] * 8])
def test_geometries_that_do_not(instances: list[MigInstance]) -> None:
    assert not fits(7, instances)


@pytest.mark.parametrize(
    ("slices", "instance", "most"),
    [
        (7, ONE, 7),
        (7, ONE_DOUBLE, 4),
        (7, TWO, 3),
        (7, THREE, 2),
        (7, FOUR, 1),
        (7, SEVEN, 1),
        (4, ONE, 4),
        (4, TWO, 2),
    ],
)
def test_as_many_alike_as_the_shipped_configuration_has(slices: int, instance: MigInstance, most: int) -> None:
    assert room(slices, [], instance) == most


def test_only_one_instance_has_the_media_engines() -> None:
    assert room(7, [], MigInstance(1, 1, media="+me")) == 1


@pytest.mark.parametrize(
    ("slices", "memory_mib", "gb", "size"),
    [
        (7, 40960, 5, 1),
        (7, 40960, 10, 2),
        (7, 40960, 20, 4),
        (7, 40960, 40, 8),
        (7, 96256, 12, 1),
        (7, 96256, 47, 4),
        (7, 144384, 18, 1),
        (7, 144384, 71, 4),
        (7, 183359, 45, 2),
        (4, 24576, 6, 1),
        (4, 24576, 12, 2),
        (4, 98304, 96, 4),
    ],
)
def test_memory_slices_of_a_nominal_size(slices: int, memory_mib: int, gb: int, size: int) -> None:
    assert memory_slices(slices, memory_mib, gb) == size


@given(st.lists(KINDS, max_size=8), st.integers(0, 7))
def test_taking_an_instance_away_never_makes_a_geometry_impossible(held: list[MigInstance], at: int) -> None:
    if fits(7, held):
        assert fits(7, held[:at] + held[at + 1 :])
        assert fits(7, list(reversed(held)))


def test_the_tables_name_only_places_that_exist() -> None:
    for slices, starts in STARTS.items():
        for (_, memory), places in starts.items():
            assert max(places) + memory <= (8 if slices == 7 else 4)


NVIDIAS = {
    "A30": "1g.6gb:4 1g.6gb+me:1 2g.12gb:2 2g.12gb+me:1 4g.24gb:1",
    "A100-PCIe-40GB": "1g.5gb:7 1g.5gb+me:1 1g.10gb:4 2g.10gb:3 3g.20gb:2 4g.20gb:1 7g.40gb:1",
    "A100-SXM4-80GB": "1g.10gb:7 1g.10gb+me:1 1g.20gb:4 2g.20gb:3 3g.40gb:2 4g.40gb:1 7g.80gb:1",
    "H100-PCIe-80GB": "1g.10gb:7 1g.10gb+me:1 1g.20gb:4 2g.20gb:3 3g.40gb:2 4g.40gb:1 7g.80gb:1",
    "H100-NVL": "1g.12gb:7 1g.12gb+me:1 1g.24gb:4 2g.24gb:3 3g.47gb:2 4g.47gb:1 7g.94gb:1",
    "H200": "1g.18gb:7 1g.18gb+me:1 1g.35gb:4 2g.35gb:3 3g.71gb:2 4g.71gb:1 7g.141gb:1",
    "GH200-480GB": "1g.12gb:7 1g.12gb+me:1 1g.24gb:4 2g.24gb:3 3g.48gb:2 4g.48gb:1 7g.96gb:1",
    "GH200-144G-HBM3e": "1g.18gb:7 1g.18gb+me:1 1g.36gb:4 2g.36gb:3 3g.72gb:2 4g.72gb:1 7g.144gb:1",
    "B200": "1g.23gb:7 1g.23gb+me:1 1g.45gb:4 2g.45gb:3 3g.90gb:2 4g.90gb:1 7g.180gb:1",
    "GB200": "1g.23gb:7 1g.23gb+me:1 1g.47gb:4 2g.47gb:3 3g.93gb:2 4g.93gb:1 7g.186gb:1",
}


@pytest.mark.parametrize(("model", "counts"), NVIDIAS.items())
def test_a_gpu_has_the_profiles_that_nvidia_lists(model: str, counts: str) -> None:
    assert " ".join(f"{name}:{one.most}" for name, one in profiles(GPUS[model]).items()) == counts


WITH_MIG = [gpu for gpu in GPUS.values() if gpu.mig_capable]


@pytest.mark.parametrize("gpu", WITH_MIG, ids=lambda gpu: gpu.name)
def test_every_gpu_with_mig_has_a_row_whose_counts_are_those_of_its_placements(gpu: Gpu) -> None:
    assert sum(gpu.name in row.gpus for row in ROWS) == 1
    for profile in profiles(gpu).values():
        assert room(gpu.mig_slices, [], profile.instance) == profile.most, profile.name
        gigabytes = int(profile.name.partition("g.")[2].partition("gb")[0])
        assert memory_slices(gpu.mig_slices, gpu.memory_mib, gigabytes) == profile.instance.memory, profile.name


@pytest.mark.parametrize("gpu", WITH_MIG, ids=lambda gpu: gpu.name)
def test_a_gpu_of_ones_own_row_has_profiles_named_by_its_memory(gpu: Gpu) -> None:
    own = replace(gpu, name="of one's own")
    listed = {name: one for name, one in profiles(gpu).items() if not one.instance.media}
    assert profiles(own) == listed


def test_a_gpu_of_two_slices_has_halves() -> None:
    own = replace(GPUS["RTX-PRO-6000-Blackwell-Server"], name="RTX PRO 5000", memory_mib=48 * 1024, mig_slices=2)
    assert {name: one.most for name, one in profiles(own).items()} == {"1g.24gb": 2, "2g.48gb": 1}
    assert named_geometry(own, "all-balanced") is None
    assert profiles(GPUS["L40S"]) == {}


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        ("A30", {"1g.6gb": 2, "2g.12gb": 1}),
        ("A100-SXM4-40GB", {"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1}),
        ("A100-PCIe-80GB", {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}),
        ("H100-NVL", {"1g.12gb": 2, "2g.24gb": 1, "3g.47gb": 1}),
        ("H20", {"1g.12gb": 2, "2g.24gb": 1, "3g.48gb": 1}),
        ("H200-NVL", {"1g.18gb": 2, "2g.35gb": 1, "3g.71gb": 1}),
        ("B200", {"1g.23gb": 2, "2g.45gb": 1, "3g.90gb": 1}),
        ("GB200", {"1g.23gb": 2, "2g.47gb": 1, "3g.93gb": 1}),
        ("RTX-PRO-6000-Blackwell-Server", {"1g.24gb": 2, "2g.48gb": 1}),
    ],
)
def test_all_balanced_is_that_of_nvidia_s_configuration(model: str, counts: dict[str, int]) -> None:
    found = named_geometry(GPUS[model], "all-balanced")
    assert found == Geometry(enabled=True, counts=tuple(counts.items()))
    assert holds(GPUS[model], counts)


def test_named_configurations_are_those_of_the_hardware() -> None:
    a100, h100 = GPUS["A100-SXM4-40GB"], GPUS["H100-SXM5-80GB"]
    assert named_geometry(a100, "all-1g.10gb") == Geometry(enabled=True, counts=(("1g.10gb", 4),))
    assert named_geometry(h100, "all-1g.10gb") == Geometry(enabled=True, counts=(("1g.10gb", 7),))
    assert named_geometry(a100, "all-1g.5gb.me") == Geometry(enabled=True, counts=(("1g.5gb+me", 1),))
    assert named_geometry(a100, "all-enabled") == Geometry(enabled=True)
    assert named_geometry(a100, "all-disabled") == Geometry()
    assert [named_geometry(h100, name) for name in ("all-1g.5gb", "all-1g.5gb+me", "1g.10gb", "")] == [None] * 4


@pytest.mark.parametrize(
    ("model", "counts", "possible"),
    [
        ("A100-SXM4-40GB", {"1g.5gb": 6, "1g.5gb+me": 1}, True),
        ("A100-SXM4-40GB", {"1g.5gb+me": 2}, False),
        ("A100-SXM4-40GB", {"1g.5gb": 3, "1g.10gb": 2}, True),
        ("A100-SXM4-40GB", {"1g.5gb": 2, "1g.10gb": 3}, True),
        ("A100-SXM4-40GB", {"1g.5gb": 3, "1g.10gb": 3}, False),
        ("A100-SXM4-40GB", {"3g.20gb": 2, "1g.5gb": 1}, False),
        ("A100-SXM4-40GB", {"4g.20gb": 1, "2g.10gb": 1, "1g.5gb": 1}, True),
        ("A100-SXM4-40GB", {"1g.10gb": 1, "2g.20gb": 1}, False),
        ("A30", {"2g.12gb+me": 1, "2g.12gb": 1}, True),
        ("A30", {"2g.12gb+me": 1, "1g.6gb+me": 1}, False),
        ("RTX-PRO-6000-Blackwell-Server", {"1g.24gb+me.all": 1, "1g.24gb-me": 3}, True),
        ("RTX-PRO-6000-Blackwell-Server", {"1g.24gb+me.all": 1, "1g.24gb": 1}, False),
        ("RTX-PRO-6000-Blackwell-Server", {"1g.24gb+gfx": 2, "2g.48gb": 1}, True),
    ],
)
def test_what_one_gpu_can_have_side_by_side(model: str, counts: dict[str, int], possible: bool) -> None:
    assert holds(GPUS[model], counts) is possible


def test_the_geometries_of_an_a100_are_those_that_are_known() -> None:
    """Those without further room; nebuly-ai/nos pkg/gpu/mig/known_configs.go and NVIDIA's figure of the A100."""
    a100, kinds = GPUS["A100-SXM4-40GB"], ("7g.40gb", "4g.20gb", "3g.20gb", "2g.10gb", "1g.5gb")
    mixes = [dict(zip(kinds, each, strict=True)) for each in product((0, 1), (0, 1), range(3), range(4), range(8))]
    possible = [mix for mix in mixes if holds(a100, mix)]
    full = [mix for mix in possible if not any(holds(a100, {**mix, kind: mix[kind] + 1}) for kind in kinds)]
    assert sorted(tuple(mix.values()) for mix in full) == [
        (0, 0, 0, 0, 7),
        (0, 0, 0, 1, 5),
        (0, 0, 0, 2, 3),
        (0, 0, 0, 3, 1),
        (0, 0, 1, 0, 4),
        (0, 0, 1, 1, 2),
        (0, 0, 1, 2, 0),
        (0, 0, 2, 0, 0),
        (0, 1, 0, 0, 3),
        (0, 1, 0, 1, 1),
        (0, 1, 1, 0, 0),
        (1, 0, 0, 0, 0),
    ]


@pytest.mark.parametrize(
    ("suffix", "found"),
    [
        ("1g.5gb", ("A100-SXM4-40GB", 7)),
        ("1g.10gb", ("A100-SXM4-80GB", 7)),
        ("1g.12gb", ("H100-NVL", 7)),
        ("3g.72gb", ("GH200-144G-HBM3e", 2)),
        ("1g.24gb.me.all", ("RTX-PRO-6000-Blackwell-Server", 1)),
        ("1g.5gb+me", None),
        ("9g.99gb", None),
    ],
)
def test_a_model_is_found_by_the_resource_of_its_slices(suffix: str, found: tuple[str, int] | None) -> None:
    assert a_model_with(suffix) == found


def test_mig_backed_vgpus_are_as_many_as_instances() -> None:
    for name, family in BY_GPU.items():
        counts = {resource_suffix(each): one.most for each, one in profiles(GPUS[name]).items()}
        for suffix, most in family.mig.items():
            slices, _, size = suffix.partition("-")
            media = ".me" if size.endswith("ME") else ""
            gigabytes = size.removesuffix("ME").rstrip("CQ")
            assert counts[f"{slices}g.{gigabytes}gb{media}"] == most, (name, suffix)
