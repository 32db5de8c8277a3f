"""MIG geometries: what NVIDIA's tables allow and refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.facts.mig import STARTS, MigInstance, fits, memory_slices, room

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
    assert room(7, [], MigInstance(1, 1, media=True)) == 1


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
