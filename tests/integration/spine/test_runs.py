"""What a user relies on between runs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.integration.spine.site import Site, Told, kill

pytestmark = pytest.mark.engine
Make = Callable[..., Site]


def outcomes(told: Told) -> dict[str, str]:
    return {result["stack"]: result["outcome"] for result in told["results"]}


def test_a_second_up_is_unchanged_and_an_edit_runs_what_depends_on_it(make_site: Make) -> None:
    stacks = {"a": {"kind": "things"}, "b": {"kind": "things", "after": "${a.last}"}, "c": {"kind": "things"}}
    site = make_site(stacks)
    assert outcomes(site.result("up")) == {"a": "changed", "b": "changed", "c": "changed"}
    assert outcomes(site.result("up")) == {"a": "unchanged", "b": "unchanged", "c": "unchanged"}
    site.write({**stacks, "c": {"kind": "things", "text": "b"}})
    assert outcomes(site.result("up")) == {"a": "unchanged", "b": "unchanged", "c": "changed"}


def test_stacks_that_the_file_no_longer_has_are_told_and_go_in_their_order(make_site: Make) -> None:
    last = {"kind": "things", "delay": 0.5, "count": 1}
    site = make_site({"a": {"kind": "things"}, "b": {**last, "after": "${a.last}"}, "c": {"kind": "things"}})
    assert site.result("up")["exit_code"] == 0
    site.write({"c": {"kind": "things"}})
    done = site.run("up", "world", "--yes")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == (
        "a and b are still up and no longer in the file: aiinfra destroy world --only a --only b destroys them"
    )
    ended: list[str] = []

    def hear(event: Told, pid: int) -> bool:
        if event["type"] in {"stack_started", "stack_ended"}:
            ended.append(f"{event['type']} {event.get('stack') or event['result']['stack']}")
        return False

    assert site.until(hear, "destroy", "world", "--yes", "--only", "a", "--only", "b") == 0
    assert ended == ["stack_started b", "stack_ended b", "stack_started a", "stack_ended a"]
    assert "no longer in the file" not in site.run("up", "world", "--yes").stdout
    assert site.result("destroy")["exit_code"] == 0


SPY = """
import sys
from aiinfra.__main__ import main
code = main(["up", "world", "--yes"])
heavy = ("pulumi", "grpc", "httpx", "pyVmomi", "rich", "jinja2", "aiinfra.engine.host_client", "aiinfra.providers",
    "aiinfra.domains.kubernetes.client", "aiinfra.domains.vsphere.client", "aiinfra.lab", "aiinfra.config.lab_block",
    "aiinfra.session.verbs.destroy", "aiinfra.toolchain")
sys.stderr.write(",".join(name for name in heavy if name in sys.modules))
sys.exit(code)
"""


def test_an_unchanged_up_starts_no_engine_and_loads_nothing_of_it(make_site: Make) -> None:
    site = make_site({"a": {"kind": "things"}})
    site.result("up")
    log = site.folder / "home" / ".local" / "state" / "aiinfra" / "logs" / "world-engine.log"
    log.unlink()
    done = subprocess.run(
        [sys.executable, "-c", SPY], cwd=site.folder, env=site.environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not log.exists()


def test_an_edit_that_failed_half_way_and_was_reverted_is_not_unchanged(make_site: Make) -> None:
    good = {"a": {"kind": "things", "text": "one"}}
    site = make_site(good)
    site.result("up")
    site.write({"a": {"kind": "things", "text": "two", "fail": "the disk is full"}})
    failed = site.result("up")
    assert failed["exit_code"] == 4
    assert failed["results"][0]["error"]["message"] == "the disk is full"
    site.write(good)
    mended = site.result("up")
    assert outcomes(mended) == {"a": "changed"}
    assert mended["exit_code"] == 0


def test_a_failure_blocks_what_needs_it_and_nothing_else(make_site: Make) -> None:
    site = make_site(
        {"a": {"kind": "things", "fail": "no"}, "b": {"kind": "things", "after": "${a.last}"}, "c": {"kind": "things"}}
    )
    told = site.result("up")
    assert outcomes(told) == {"a": "failed", "b": "blocked", "c": "changed"}
    blocked = {r["stack"]: r for r in told["results"]}["b"]
    assert (blocked["reason"], blocked["related"], blocked["related_outcome"]) == ("needed_failed", "a", "failed")
    assert told["exit_code"] == 4


def test_the_status_tells_what_failed_and_who_says_why(make_site: Make) -> None:
    site = make_site({"a": {"kind": "things"}, "b": {"kind": "things", "fail": "no"}, "c": {"kind": "things"}})
    assert outcomes(site.result("up", "--only", "a", "--only", "b")) == {"a": "changed", "b": "failed"}
    told = json.loads(site.run("status", "world", "--output", "json").stdout)["status"]["stacks"]
    assert {stack["stack"]: stack["state"] for stack in told} == {"a": "up", "b": "failed", "c": "not created"}
    rows = [line.split("  ") for line in site.run("status", "world").stdout.splitlines()[1:]]
    assert [[cell.strip() for cell in row if cell] for row in rows][1][:4] == ["✗", "b", "things", "failed"]
    assert re.fullmatch(r"up failed (just now|\d+ s ago): aiinfra why world b", rows[1][-1].strip())
    assert site.result("destroy")["exit_code"] == 0


def test_two_runs_at_once_are_one_run_and_a_refusal(make_site: Make) -> None:
    site = make_site({"a": {"kind": "things", "delay": 5.0, "count": 1}})
    refused: list[subprocess.CompletedProcess[str]] = []

    def second(event: Told, pid: int) -> bool:
        if event["type"] == "waiting":
            refused.append(site.run("up", "world", "--yes"))
        return bool(refused)

    assert site.until(second, "up", "world", "--yes") == 0
    assert refused[0].returncode == 3
    assert "another run holds this environment: aiinfra up world, pid " in refused[0].stderr


def test_namesakes_with_different_state_do_not_touch_each_other(make_site: Make) -> None:
    one, two = make_site({}, name="one"), make_site({}, name="two")
    for site in (one, two):
        site.write({"a": {"kind": "things", "count": 1, "folder": str(site.folder.parent / "shared")}})
        assert site.result("up")["exit_code"] == 0
    shared = one.folder.parent / "shared"
    assert len(list(shared.glob("a-0.*"))) == 2
    assert one.result("destroy")["exit_code"] == 0
    assert len(list(shared.glob("a-0.*"))) == 1
    assert outcomes(two.result("up", "--no-skip")) == {"a": "unchanged"}


def test_one_ctrl_c_finishes_what_runs_and_saves(make_site: Make) -> None:
    site = make_site({})
    site.write({"a": {"kind": "things", "delay": 0.4, "count": 4, "folder": str(site.things)}})
    told: list[Told] = []

    def interrupt(event: Told, pid: int) -> bool:
        if event["type"] == "waiting" and not any(earlier["type"] == "waiting" for earlier in told):
            kill(pid, signal.SIGINT)
        told.append(event)
        return False

    assert site.until(interrupt, "up", "world", "--yes") == 130
    assert [event for event in told if event["type"] == "diagnostic"] == []
    assert told[-1]["result"]["results"][0]["reason"] == "stopped"
    made = site.inventory()
    assert 1 <= len(made) < 4
    state = json.loads((site.state / ".pulumi" / "stacks" / "world" / "a.json").read_text())["checkpoint"]["latest"]
    assert not state.get("pending_operations")
    assert len([r for r in state["resources"] if r["type"] == "aiinfra:test:Thing"]) == len(made)
    assert site.result("up")["exit_code"] == 0
    assert site.inventory() == ["a-0", "a-1", "a-2", "a-3"]


def test_a_canary_secret_is_in_clear_nowhere(make_site: Make) -> None:
    canary = "canary-5f0e7d1c9a"
    secret = {"kind": "things", "password": "${env:CANARY}", "text": "${env:CANARY}"}
    site = make_site({"a": secret, "b": {"kind": "things", "password": "${a.password}", "fail": "no"}})
    told = [site.run(*verb, "world", *more) for verb, more in (
        (("validate",), ()), (("plan",), ()), (("preview",), ()), (("render",), ("--out", str(site.folder / "out"))),
        (("up",), ("--yes", "--events", "ndjson", "--summary", str(site.folder / "s.md"))), (("outputs",), ()), (("status",), ()),
    )]  # fmt: skip
    for done in told:
        assert canary not in done.stdout + done.stderr, done.args
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".json" for path in files)
    assert [path for path in files if canary.encode() in path.read_bytes()] == []


def test_destroy_takes_stacks_that_the_file_has_no_more(make_site: Make) -> None:
    site = make_site({})
    thing = {"kind": "things", "count": 1, "folder": str(site.things)}
    site.write({"a": thing, "b": {**thing, "after": "${a.last}"}})
    site.result("up")
    site.write({"a": thing})
    told = site.result("destroy")
    assert told["exit_code"] == 0
    assert site.inventory() == []


def test_destroy_of_one_stack_refuses_while_another_needs_it(make_site: Make) -> None:
    site = make_site({"a": {"kind": "things"}, "b": {"kind": "things", "after": "${a.last}"}})
    site.result("up")
    refused = site.run("destroy", "world", "--yes", "--only", "a")
    assert refused.returncode == 2
    assert "b still needs a" in refused.stderr
    assert site.result("destroy", "--only", "b")["exit_code"] == 0
    assert site.result("destroy", "--only", "a")["exit_code"] == 0


def test_a_missing_passphrase_is_exit_2_and_nothing_is_made(make_site: Make) -> None:
    site = make_site({"a": {"kind": "things"}})
    poor = Site(site.folder, {k: v for k, v in site.environ.items() if not k.startswith("PULUMI")})
    done = poor.run("up", "world", "--yes")
    assert done.returncode == 2
    assert "the state is sealed by a passphrase and none is given" in done.stderr
    assert not site.state.exists()


def test_without_an_engine_no_step_is_begun(make_site: Make) -> None:
    site = make_site({"a": {"kind": "things"}, "b": {"kind": "things"}})
    assert site.result("up")["exit_code"] == 0
    site.write({"a": {"kind": "things", "text": "other"}, "b": {"kind": "things", "text": "other"}})
    poor = Site(site.folder, {k: v for k, v in site.environ.items() if k != "AIINFRA_TOOLCHAIN"})
    for words in (("up", "--yes"), ("preview",), ("refresh",), ("destroy", "--yes")):
        done = poor.run(words[0], "world", *words[1:], "--offline")
        assert done.returncode == 3, words
        assert done.stderr.splitlines()[0] == (
            "✗ aiinfra-engine 3.259.0: not on this machine, and --offline forbids to fetch or build"
        )
        assert "failed" not in done.stdout
    assert outcomes(site.result("up")) == {"a": "changed", "b": "changed"}


def test_a_state_of_a_newer_format_is_refused_before_any_step(make_site: Make) -> None:
    site = make_site({"a": {"kind": "things"}})
    assert site.result("up")["exit_code"] == 0
    (site.state / ".pulumi" / "meta.yaml").write_text("version: 2\n")
    for words in (("up", "--yes"), ("up", "--yes", "--no-skip"), ("preview",), ("refresh",), ("destroy", "--yes")):
        done = site.run(words[0], "world", *words[1:])
        assert done.returncode == 3, words
        assert "the state is of a newer format than this aiinfra knows\n" in done.stderr
        assert "→ use an aiinfra that is as new as what wrote it last, or another state.url\n" in done.stderr
        assert "code engine.newer · exit 3" in done.stderr
        assert "✗ failed" not in done.stdout
