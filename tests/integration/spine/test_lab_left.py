"""Two runs at once in a lab, and a destroy that meets what it cannot remove."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.stack import MARK_ID
from tests.integration.spine.lab_site import cluster, lab_folder, place_example
from tests.integration.spine.site import Site, Told, kill

pytestmark = [pytest.mark.engine, pytest.mark.lab]
Make = Callable[..., Site]


@pytest.fixture
def site(make_site: Make, lab_servers: Mapping[str, Path]) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(made)
    yield made
    made.run("lab", "stop", "lab")


def test_two_runs_that_start_a_lab_at_once_get_one_lab_and_one_refusal(site: Site) -> None:
    refused: list[subprocess.CompletedProcess[str]] = []

    def second(event: Told, pid: int) -> bool:
        if event["type"] == "stack_started":
            refused.append(site.run("up", "lab", "--yes"))
        return bool(refused)

    assert site.until(second, "up", "lab", "--yes", "--until", "nfd") == 0
    assert refused[0].returncode == 3
    assert "another run holds this environment: aiinfra up lab, pid " in refused[0].stderr
    told = site.result("up", "--until", "nfd")
    assert [result["outcome"] for result in told["results"]] == ["unchanged", "unchanged"]


def test_what_does_not_go_is_named_with_exit_5_and_goes_with_the_next_destroy(site: Site) -> None:
    id = site.result("up", "--only", "cluster")["environment_id"]
    note = ObjectRef("v1", "ConfigMap", "kept", "default")
    metadata = {"name": "kept", "namespace": "default", "labels": {MARK_ID: id}, "finalizers": ["example.com/never"]}
    with cluster(site) as client:
        client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        told = site.result("destroy")
        assert told["exit_code"] == 5
        (left,) = told["errors"]
        assert (left["code"], left["where"]) == ("destroy.left_behind", "cluster")
        assert left["message"] == (
            "ConfigMap default/kept: waits for its finalizer example.com/never, whose controller does not act"
        )
        client.patch(note, {"metadata": {"finalizers": None}})
    again = site.result("destroy")
    assert again["exit_code"] == 0
    assert again["nothing_left"][-1] == "lab (0 processes, 0 files)"


def test_a_lab_is_not_stopped_under_a_run_unless_that_is_wanted(site: Site) -> None:
    stops: list[subprocess.CompletedProcess[str]] = []
    runs: list[int] = []

    def stop(event: Told, pid: int) -> bool:
        if event["type"] == "stack_started" and event["stack"] == "nfd":
            runs.append(pid)
            stops.append(site.run("lab", "stop", "lab"))
            stops.append(site.run("lab", "stop", "lab", "--force"))
        return bool(stops)

    assert site.until(stop, "up", "lab", "--yes") == 4
    refused, forced = stops
    assert refused.returncode == 3
    assert f"another run holds this environment: aiinfra up lab, pid {runs[0]} on " in refused.stderr
    assert "→ wait for it, stop it with Ctrl-C, or add --force: it fails then\n" in refused.stderr
    assert forced.returncode == 0
    assert forced.stdout == "stopped the lab of lab: 8 processes, and its folder\n"
    assert site.result("up", "--until", "nfd")["exit_code"] == 0


def remove_labs(site: Site) -> None:
    shutil.rmtree(site.folder / "home" / ".local" / "state" / "aiinfra" / "labs", ignore_errors=True)


@pytest.mark.parametrize(
    ("blow", "why"),
    [
        (lambda site, pid: kill(pid), "the lab died (its supervisor, pid {pid}, is gone) while it was used"),
        (lambda site, pid: kill(pid, signal.SIGTERM), "the lab was stopped while it was used"),
        (lambda site, pid: remove_labs(site), "the lab was stopped while it was used"),
    ],
)
def test_a_run_whose_lab_ends_says_so_and_the_next_one_converges(
    site: Site, blow: Callable[[Site, int], None], why: str
) -> None:
    told: list[Told] = []
    struck: list[int] = []

    def strike(event: Told, pid: int) -> bool:
        told.append(event)
        if event["type"] == "stack_started" and event["stack"] == "nfd":
            folder = lab_folder(site)
            assert folder is not None
            struck.append(json.loads((folder / "lab.json").read_text())["pid"])
            blow(site, struck[0])
        return False

    assert site.until(strike, "up", "lab", "--yes") == 4
    failed = next(r for r in told[-1]["result"]["results"] if r["stack"] == "nfd")
    assert failed["error"]["code"] == "lab.gone"
    assert failed["causes"][-1] == why.format(pid=struck[0])
    assert failed["error"]["hint"] == "run the command again: a dead lab is discarded and a new one started"
    again = site.result("up", "--until", "nfd")
    assert again["exit_code"] == 0, again
    gone = site.result("destroy")
    assert gone["exit_code"] == 0
    assert lab_folder(site) is None
