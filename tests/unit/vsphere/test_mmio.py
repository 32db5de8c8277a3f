"""MMIO sizes: published examples, and what holds for every size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.domains.vsphere.template.mmio import mmio


@pytest.mark.parametrize(
    ("gpus", "memory_gb", "doubled", "size"),
    [(2, 24, 128, 512), (1, 80, 256, 512), (8, 80, 2048, 2048), (1, 16, 32, 512), (4, 64, 512, 512), (1, 1, 2, 512)],
)
def test_published_examples(gpus: int, memory_gb: int, doubled: int, size: int) -> None:
    told = mmio(gpus * memory_gb * 1024)
    assert (told.doubled_gb, told.size_gb) == (doubled, size)


def test_it_says_both_numbers() -> None:
    assert str(mmio(640 * 1024)) == (
        "2048 GB: the larger of 512 GB and 2048 GB by the doubling rule for 640 GB of GPU memory"
    )


@given(st.integers(1, 1 << 24))
def test_the_space_holds_the_memory_and_is_a_power_of_two(memory_mib: int) -> None:
    told = mmio(memory_mib)
    assert told.doubled_gb & (told.doubled_gb - 1) == 0
    assert told.gpu_memory_gb < told.doubled_gb <= 4 * told.gpu_memory_gb
    assert told.size_gb >= 512


def test_no_memory_is_no_question() -> None:
    with pytest.raises(ValueError, match="a VM without GPU memory needs no MMIO space"):
        mmio(0)
