"""`aiinfra up lab`, as the README tells it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.spine.lab_site import cluster, inventory, lab_folder, place_example, processes_of
from tests.integration.spine.site import Site, Told, kill

pytestmark = [pytest.mark.engine, pytest.mark.lab]
Make = Callable[..., Site]
STACKS = ["vgpu", "mig", "passthrough", "cluster", "nfd", "gpu-operator", "gpu-proof"]


@pytest.fixture
def site(make_site: Make, lab_servers: Mapping[str, Path]) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(made)
    yield made
    made.run("lab", "stop", "lab")


def outcomes(told: Told) -> dict[str, str]:
    return {result["stack"]: result["outcome"] for result in told["results"]}


def test_a_platform_comes_up_is_proved_and_goes_without_a_trace(site: Site) -> None:
    assert "→ start it with aiinfra up lab\n" in site.run("lab", "fault", "lab", "image-pull").stderr
    assert "nothing: aiinfra up lab starts it" in site.run("doctor", "lab", "--output", "json").stdout
    first = site.result("up")
    assert outcomes(first) == dict.fromkeys(STACKS, "changed")
    levels = {one["level"] for one in json.loads(site.run("doctor", "lab", "--output", "json").stdout)["findings"]}
    assert levels == {"ok", "note"}
    for said in ("CUDA does not run", "the vCenter is a simulator"):
        assert any(said in sentence for sentence in first["simulated"])
    assert outcomes(site.result("up")) == dict.fromkeys(STACKS, "unchanged")
    proof = site.result("up", "--prove")
    assert outcomes(proof) == {**dict.fromkeys(STACKS, "unchanged"), "gpu-proof": "changed"}

    folder = lab_folder(site)
    assert folder is not None
    assert processes_of(folder)
    gone = site.result("destroy")
    assert outcomes(gone) == dict.fromkeys(STACKS, "destroyed")
    assert gone["exit_code"] == 0
    assert gone["nothing_left"][-1] == "lab (0 processes, 0 files)"
    assert lab_folder(site) is None
    assert processes_of(folder) == []


def test_destroy_leaves_no_object_in_a_cluster_that_lives_on(site: Site) -> None:
    assert site.result("up", "--only", "cluster")["exit_code"] == 0
    before = inventory(site)
    assert site.result("up")["exit_code"] == 0
    assert len(inventory(site)) > len(before) + 10
    assert site.result("destroy", "--keep-lab")["exit_code"] == 0
    assert inventory(site) == before


def test_a_namespace_of_somebody_else_is_refused_and_left_alone(site: Site) -> None:
    assert site.result("up", "--only", "cluster")["exit_code"] == 0
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}}
    inside = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dashboards", "namespace": "monitoring"}}
    with cluster(site) as client:
        client.create(theirs)
        client.create(inside)
    told = site.result("up", "--until", "nfd", "--set", "stacks.nfd.namespace=monitoring")
    (failed,) = [result for result in told["results"] if result["error"]]
    assert (failed["stack"], failed["error"]["code"], failed["error"]["message"]) == (
        "nfd",
        "kube.foreign",
        "Namespace monitoring exists already and belongs to none of our environments",
    )
    assert site.result("destroy", "--keep-lab", "--set", "stacks.nfd.namespace=monitoring")["exit_code"] == 0
    assert "ConfigMap monitoring/dashboards" in inventory(site)


def test_a_lab_that_was_killed_is_discarded_and_made_anew(site: Site) -> None:
    site.result("up", "--only", "cluster")
    folder = lab_folder(site)
    assert folder is not None
    kill(json.loads((folder / "lab.json").read_text())["pid"])
    assert "; aiinfra up lab discards it" in site.run("lab", "status", "lab").stdout
    again = site.run("up", "lab", "--yes", "--only", "cluster")
    assert again.returncode == 0
    assert "discarded the dead lab of " in again.stdout


def test_a_destroy_without_its_notes_names_what_is_left_and_takes_the_id(site: Site) -> None:
    assert site.result("up", "--until", "nfd")["exit_code"] == 0
    folder = lab_folder(site)
    assert folder is not None
    shutil.rmtree(folder / "state")
    lost = site.result("destroy", "--keep-lab")
    assert lost["exit_code"] == 5
    (left,) = [error for error in lost["errors"] if error["code"] == "destroy.left_behind"]
    assert "CustomResourceDefinition nodefeatures.nfd.k8s-sigs.io and 1 more carry the name lab" in left["message"]
    command = left["hint"].partition(": aiinfra ")[2].split()
    assert command[:3] == ["destroy", "lab", "--environment-id"]
    found = site.result("destroy", "--keep-lab", *command[2:])
    assert found["exit_code"] == 0, found
    assert [line for line in inventory(site) if "nfd" in line or "node-feature" in line] == []
