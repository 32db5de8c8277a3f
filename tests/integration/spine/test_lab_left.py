"""Two runs at once in a lab, and a destroy that meets what it cannot remove."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.kube.objects import ObjectRef
from aiinfra.stack import MARK_ID
from tests.integration.spine.lab_site import cluster, place_example
from tests.integration.spine.site import Site, Told

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
