"""Which official plugins a run asks for before its first step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.engine.journal import Success
from aiinfra.errors import OutsideError
from aiinfra.plan.planner import plan
from aiinfra.session.options import ANY_TOOLS, Options, Selection
from aiinfra.session.place.choice import Places
from aiinfra.session.plugins import require_for, require_for_destroy
from tests.unit.session.kinds import PART, PROOF, environment
from tests.unit.session.site import Site
from tests.unit.site import a_world

CATALOG = Catalog.of(replace(PART, plugins=("kubernetes",)), PROOF)
STACKS = {"a": {}, "b": {"kind": "proof", "after": "${a.text}"}}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, STACKS, CATALOG)


def places(folder: Path, target: str = "real") -> Places:
    planned = plan(environment(STACKS).model_copy(update={"target": target}), CATALOG)
    return Places(a_world(folder), planned, folder / "site.yaml", ANY_TOOLS, print)


def test_the_chosen_stacks_decide_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="the Pulumi plugin kubernetes 4") as caught:
        require_for(places(tmp_path), ["a", "b"])
    assert caught.value.record.code == "toolchain.plugin"
    require_for(places(tmp_path), ["b"])
    require_for(places(tmp_path, "lab"), ["a", "b"])


def test_a_destroy_needs_the_plugins_of_what_exists(site: Site, tmp_path: Path) -> None:
    require_for_destroy(places(tmp_path), site.run())
    site.runner.stacks["a"] = {}
    with pytest.raises(OutsideError, match="plugin kubernetes"):
        require_for_destroy(places(tmp_path), site.run())
    require_for_destroy(places(tmp_path), site.run(Options(selection=Selection(("b",)))))


def test_a_destroy_also_needs_the_plugins_of_stacks_that_left_the_file(site: Site, tmp_path: Path) -> None:
    site.runner.stacks["old"] = {}
    site.journal.record_success("old", Success("d", "r", datetime(2026, 1, 2, tzinfo=UTC), 1.0, "nfd"))
    with pytest.raises(OutsideError, match="plugin kubernetes"):
        require_for_destroy(places(tmp_path), site.run())
