"""A preview that fails is a result, also where nothing stands yet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from aiinfra.plan.certainty import Certainty
from tests.integration.spine.site import Site

pytestmark = pytest.mark.engine


def test_a_program_that_fails_above_a_cluster_that_is_not_there_yet_is_a_failed_stack(
    make_site: Callable[..., Site],
) -> None:
    site = make_site({})
    memo = {"kind": "notes", "cluster": "${cluster}", "names": ["a"], "fail": "no such thing"}
    site.write({"cluster": {"kind": "existing_cluster"}, "memo": memo}, target="lab", state={})
    done = site.run("preview", "world")
    assert (done.returncode, done.stderr) == (4, "")
    assert "the program failed at program.py:8: ValueError: no such thing" in done.stdout
    assert "has a bug" not in done.stdout


@pytest.mark.parametrize("example", ["lab", "small"])
def test_what_a_plan_expects_to_be_unknown_is_what_a_preview_finds_unknown(
    example: str, make_site: Callable[..., Site]
) -> None:
    site = make_site({})
    planned = json.loads(site.run("plan", example, "--output", "json").stdout)
    previewed = json.loads(site.run("preview", example, "--output", "json").stdout)
    found = {result["stack"]: result["certainty"] for result in previewed["results"]}
    expected = {stack["name"]: _certainty(**stack["certainty"]) for stack in planned["stacks"]}
    assert found == {name: str(sure) for name, sure in expected.items()}
    assert found["nfd"] == "unknown until cluster: uid, server, version"
    assert previewed["critical_path"] == planned["critical_path"]


def _certainty(level: str, until: dict[str, list[str]], foreign: str) -> Certainty:
    sure = Certainty(until, foreign)
    assert sure.level == level
    return sure


def test_a_second_plan_and_a_second_preview_know_what_the_first_run_found(make_site: Callable[..., Site]) -> None:
    site = make_site({"a": {"kind": "things", "text": "one"}, "b": {"kind": "things", "after": "${a.last}"}})
    fresh = site.run("plan", "world").stdout.splitlines()
    assert [line.split("  ")[-1].strip() for line in fresh[2:4]] == ["exact", "unknown until a: last"]
    assert site.run("up", "world", "--yes").returncode == 0
    known = site.run("plan", "world").stdout.splitlines()
    assert [line.split("  ")[-1].strip() for line in known[2:4]] == ["exact", "exact"]
    assert re.fullmatch(r"critical path a → b, usually \d\.\d s · the world was not asked", known[4])
    changed = site.run("preview", "world", "--set", "stacks.b.text=two")
    assert "3 to update · exact" in changed.stdout
    assert re.search(r"^critical path a → b, usually \d\.\d s$", changed.stdout, re.M)
