"""Two files of one name with one state: the second does not take down what the first made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.spine.site import Site

pytestmark = pytest.mark.engine
Make = Callable[..., Site]


def of_one_state(site: Site, state: Path, stack: str) -> Site:
    site.write({stack: {"kind": "things", "count": 1}}, state={"url": f"file://{state}"})
    return site


def test_a_second_file_is_refused_until_it_is_said_to_be_the_same(make_site: Make, tmp_path: Path) -> None:
    state = tmp_path / "bucket"
    first, second = make_site({}, name="team-a"), make_site({}, name="team-b")
    of_one_state(first, state, "a")
    of_one_state(second, state, "b")
    assert first.result("up")["exit_code"] == 0
    for arguments in (("up", "--yes"), ("preview",), ("refresh",), ("destroy", "--yes")):
        told = json.loads(second.run(*arguments, "world", "--output", "json").stdout)
        assert (told["exit_code"], told["errors"][0]["code"]) == (3, "state.another_file")
        assert f"made from {first.folder}/world.yaml on " in told["errors"][0]["message"]
        assert told["errors"][0]["where"] == f"{second.folder}/world.yaml"
    assert [one["outcome"] for one in first.result("up")["results"]] == ["unchanged"]

    moved = make_site({}, name="elsewhere")
    of_one_state(moved, state, "a")
    assert moved.result("up")["exit_code"] == 0
    assert second.result("up", "--moved")["exit_code"] == 0
    assert second.result("destroy")["exit_code"] == 0
    assert not list(state.rglob("origin.json"))
