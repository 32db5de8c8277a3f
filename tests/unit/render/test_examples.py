"""Every example is a whole environment: it renders to what is kept under `tests/golden/`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import Loaded, load_environment
from aiinfra.plan.planner import Plan
from aiinfra.render.rendering import render_texts
from aiinfra.world import World
from tests.goldens import Golden

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.yaml") if not path.name.startswith("_"))
each_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def load(path: Path, cwd: Path) -> Loaded:
    world = World({"HOME": str(cwd)}, lambda: datetime(2026, 1, 2, tzinfo=UTC), cwd, interactive=False)
    return load_environment(str(path), world=world, catalog=Catalog.installed())


def whole(plan: Plan) -> dict[str, str]:
    return {
        f"{stack}/{name}": text
        for stack, files in render_texts(plan, list(plan.steps)).items()
        for name, text in files.items()
    }


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"lab", "small", "onprem"}


@each_example
def test_every_example_renders_to_the_documents_we_show(path: Path, tmp_path: Path, golden: Golden) -> None:
    golden.check_tree(f"rendered/{path.stem}", whole(load(path, tmp_path).plan))


@each_example
def test_rendering_twice_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    plan = load(path, tmp_path).plan
    assert whole(plan) == whole(plan)
