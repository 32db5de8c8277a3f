"""Every example is good, and means what we say it means."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import Loaded, load_environment
from aiinfra.config.explain import explain
from aiinfra.config.schema import environment_schema
from aiinfra.config.yaml_text import parse
from aiinfra.plan.drawing import mermaid
from aiinfra.ui.plan import plan_text
from aiinfra.ui.terminal import Terminal
from tests.goldens import Golden
from tests.unit.site import a_world

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("[!_]*.yaml"))


def load(path: Path) -> Loaded:
    return load_environment(str(path), world=a_world(ROOT), catalog=Catalog.installed())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_has_the_plan_we_show(path: Path, golden: Golden) -> None:
    loaded = load(path)
    values = [f"{one.path} = {one.given.value}  # {one.given.where.partition(':')[0]}" for one in explain(loaded)]
    parts = [plan_text(loaded.plan, Terminal()), "", mermaid(loaded.plan), "", *values, ""]
    golden.check(f"plans/{path.stem}.txt", "\n".join(parts))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_fits_the_schema_that_editors_use(path: Path) -> None:
    document, _ = parse(path.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(environment_schema(Catalog.installed()))
    assert [error.message for error in validator.iter_errors(document.tree)] == []
