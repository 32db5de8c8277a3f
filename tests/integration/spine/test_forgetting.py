"""A cluster that is gone for good: `destroy --forget` goes on without it, says what it did not ask, and only then."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.lab.lab import Lab
from tests.integration.spine.site import Site, Told
from tests.integration.spine.test_identity import acted, give, one_address
from tests.integration.spine.test_shared_cluster import notes, outcomes, point, server, state, uid
from tests.labs import kubeconfig, open_clusters

pytestmark = [pytest.mark.engine, pytest.mark.lab]
Make = Callable[..., Site]
SMALL = LabCluster(nodes={"cpu": NodeGroup(count=1)})
WAY_OUT = (
    "check that the cluster is up and that this machine can reach the address in the kubeconfig; "
    "if it is gone for good: aiinfra destroy world --forget cluster"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, lab_servers: Mapping[str, Path]) -> Iterator[Lab]:
    clusters = {"east": SMALL, "west": SMALL}
    folder = tmp_path_factory.mktemp("forgetting") / "lab"
    opened = open_clusters(folder, lab_servers, clusters)
    yield opened
    opened.stop()


@pytest.fixture
def site(make_site: Make, lab: Lab) -> Iterator[Site]:
    """An environment `world` that leaves the note `a` in the cluster that the file `kubeconfig` tells of."""
    made = make_site({})
    write(made, {"memo": note("cluster")})
    point(made, lab, "east")
    yield made
    with KubeClient.from_kubeconfig(kubeconfig(lab, "east")) as client:
        for name in notes(client):
            client.delete(ObjectRef("v1", "ConfigMap", name, "default"))


def note(*clusters: str, **more: Any) -> dict[str, Any]:
    return {"kind": "notes", "cluster": f"${{{clusters[0]}}}", "names": ["a"], **more}


def write(site: Site, stacks: Mapping[str, Any], **clusters: str) -> None:
    given = {"cluster": "kubeconfig", **clusters}
    access = {name: {"kind": "existing_cluster", "kubeconfig": f"${{file:{file}}}"} for name, file in given.items()}
    site.write({**access, **stacks}, target="real")


def removed_address(site: Site, lab: Lab) -> str:
    """An address at which nobody listens any more, after an `up` at it."""
    with one_address(site, lab) as answer:
        answer("east")
        assert site.result("up")["exit_code"] == 0
        return str(json.loads((site.folder / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"])


def refused(site: Site, *more: str) -> Mapping[str, Any]:
    """The error of a destroy that ended before any step."""
    before = state(site)
    told = acted(site, "destroy", *more)
    assert not told.get("results")
    assert state(site) == before
    (error,) = told["errors"]
    return {**{key: error[key] for key in ("code", "where", "message", "hint")}, "exit": told["exit_code"]}


def left(lab: Lab, cluster: str) -> dict[str, str]:
    with KubeClient.from_kubeconfig(kubeconfig(lab, cluster)) as client:
        return notes(client)


def test_the_usual_destroy_names_the_way_out(site: Site, lab: Lab) -> None:
    address = removed_address(site, lab)
    assert refused(site) == {
        "code": "kube.unreachable",
        "where": "cluster",
        "message": f"{address} cannot be reached: Connection refused",
        "hint": WAY_OUT,
        "exit": 3,
    }


def test_what_stood_in_a_cluster_that_is_gone_is_forgotten_aloud(site: Site, lab: Lab) -> None:
    address = removed_address(site, lab)
    (note_of_id,) = site.state.rglob("environment.json")
    id = json.loads(note_of_id.read_text())["id"]
    done = site.run("destroy", "world", "--yes", "--forget", "cluster")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == [
        "destroy world · 2 stacks",
        "memo    | ○ forgotten (1 resource in cluster, which does not answer)",
    ]
    assert done.stdout.splitlines()[-3:] == [
        "Nothing left where it was asked: state (0 stacks). 1 resource removed.",
        f"Not asked: cluster cluster, with what is left of memo ({address} cannot be reached: Connection refused).",
        f"If it comes back, this removes what carries the environment's mark: "
        f"aiinfra destroy world --environment-id {id}",
    ]
    assert not any(path.is_file() for path in site.state.rglob("stacks/**/*.json"))

    assert left(lab, "east") == {"a": "a"}
    point(site, lab, "east")
    assert acted(site, "destroy", "--environment-id", id)["exit_code"] == 0
    assert left(lab, "east") == {}


def test_the_result_tells_machines_what_was_not_asked(site: Site, lab: Lab) -> None:
    address = removed_address(site, lab)
    told = acted(site, "destroy", "--forget", "cluster")
    assert outcomes(told) == {"memo": "forgotten", "cluster": "destroyed"}
    assert told["not_asked"] == [
        f"cluster cluster, with what is left of memo ({address} cannot be reached: Connection refused)"
    ]
    assert told["nothing_left"] == ["state (0 stacks)"]
    point(site, lab, "east")
    assert acted(site, "destroy", "--environment-id", told["environment_id"])["exit_code"] == 0


def test_a_cluster_that_answers_is_not_forgotten(site: Site, lab: Lab) -> None:
    assert site.result("up")["exit_code"] == 0
    assert refused(site, "--forget", "cluster") == {
        "code": "cluster.answers",
        "where": "cluster",
        "message": "the cluster answers, so nothing in it is forgotten",
        "hint": "leave out --forget cluster: then what stands there is taken down",
        "exit": 3,
    }
    assert site.result("destroy")["exit_code"] == 0
    assert left(lab, "east") == {}


def test_a_cluster_that_moved_is_not_forgotten(site: Site, lab: Lab) -> None:
    removed_address(site, lab)
    point(site, lab, "east")
    assert refused(site, "--forget", "cluster")["code"] == "cluster.answers"
    assert site.result("up")["exit_code"] == 0
    assert site.result("destroy")["exit_code"] == 0


def test_a_cluster_that_refuses_the_login_may_be_the_one(site: Site, lab: Lab) -> None:
    give(site, lab, users=[{"name": "admin", "user": {"token": "expired"}}])
    assert refused(site, "--forget", "cluster") == {
        "code": "kube.refused",
        "where": "cluster",
        "message": f"{server(lab, 'east')} does not accept the credentials of the kubeconfig",
        "hint": "get a fresh kubeconfig for this cluster; only a cluster that does not answer is forgotten",
        "exit": 3,
    }


def test_another_cluster_in_its_place_is_left_alone(site: Site, lab: Lab) -> None:
    with one_address(site, lab) as answer:
        answer("east")
        assert site.result("up")["exit_code"] == 0
        answer("west")
        assert refused(site)["hint"] == (
            "give the kubeconfig of the recorded cluster; the new one takes an environment of another name; "
            "if it is gone for good: aiinfra destroy world --forget cluster"
        )
        told = acted(site, "destroy", "--forget", "cluster")
        assert told["exit_code"] == 0
        assert f"its uid is {uid(lab, 'west')}, recorded is {uid(lab, 'east')}" in told["not_asked"][0]
        assert acted(site, "up")["exit_code"] == 0
        assert left(lab, "west") == {"a": "a"}
        assert site.result("destroy")["exit_code"] == 0
        answer("east")
        assert acted(site, "destroy", "--environment-id", told["environment_id"])["exit_code"] == 0
    assert left(lab, "east") == left(lab, "west") == {}


def test_only_what_stood_there_goes_and_the_rest_of_the_environment_stays(site: Site, lab: Lab) -> None:
    (site.folder / "other").write_text(kubeconfig(lab, "west"))
    write(site, {"memo": note("cluster"), "other-memo": note("other")}, other="other")
    removed_address(site, lab)
    told = acted(site, "destroy", "--only", "memo", "--only", "cluster", "--forget", "cluster")
    assert outcomes(told) == {"memo": "forgotten", "cluster": "destroyed"}
    assert (told["exit_code"], len(told["not_asked"])) == (0, 1)
    point(site, lab, "east")
    assert outcomes(site.result("up")) == {
        "cluster": "changed",
        "memo": "changed",
        "other": "unchanged",
        "other-memo": "unchanged",
    }
    assert site.result("destroy")["exit_code"] == 0
    assert left(lab, "east") == left(lab, "west") == {}


@pytest.mark.parametrize(
    ("named", "hint"),
    [("memo", "those that do: cluster"), ("nowhere", "those that do: cluster")],
)
def test_what_is_no_cluster_cannot_be_forgotten(site: Site, named: str, hint: str) -> None:
    assert refused(site, "--forget", named) == {
        "code": "flags.invalid",
        "where": "--forget",
        "message": f"{named} gives access to no cluster",
        "hint": hint,
        "exit": 2,
    }


def test_an_environment_that_was_never_up_forgets_nothing(site: Site, lab: Lab) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        give(site, lab, cluster={"server": f"https://127.0.0.1:{free.getsockname()[1]}"})
        told: Told = acted(site, "destroy", "--forget", "cluster")
    assert told["exit_code"] == 0
    assert outcomes(told) == {"memo": "destroyed", "cluster": "destroyed"}


def test_a_cluster_of_a_lab_that_does_not_answer_any_more(make_site: Make) -> None:
    site = make_site({}, environment="broken")
    site.write({"cluster": {"kind": "existing_cluster"}, "memo": note("cluster")}, target="lab")
    try:
        assert site.result("up")["exit_code"] == 0
        assert site.run("lab", "fault", "broken", "api-partition").returncode == 0
        usual = site.result("destroy")
        assert usual["exit_code"] == 3
        assert usual["errors"][0]["hint"].endswith("; if it is gone for good: aiinfra destroy broken --forget cluster")
        done = site.run("destroy", "broken", "--yes", "--forget", "cluster")
        assert done.returncode == 0, done.stderr
        assert "Nothing left where it was asked: state (0 stacks), lab (0 processes, 0 files)." in done.stdout
        assert "\nNot asked: cluster cluster, with what is left of memo (https://127.0.0.1:" in done.stdout
        assert "--environment-id" not in done.stdout
    finally:
        site.run("lab", "stop", "broken")
