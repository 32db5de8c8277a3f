"""A module stays short enough to be read in one sitting."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 300
FOLDERS = ("aiinfra", "stacks", "benchmarks", "tools", "tests/unit", "tests/kinds")
"""Integration tests are left out: those that share a lab stay in one file, as each lab takes a while to start."""


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_longer_than_300_lines(folder: str) -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(folder)}
    assert lines
    assert [f"{path.relative_to(ROOT)}: {count}" for path, count in lines.items() if count > MOST_LINES] == []
