"""Environments on clusters that others use too: real targets, with our own provider alone, on API servers of a lab."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.lab.lab import Lab
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID
from tests.integration.spine.site import Site, Told
from tests.labs import clusters_of, kubeconfig, open_clusters

pytestmark = [pytest.mark.engine, pytest.mark.lab]
Make = Callable[..., Site]
SMALL = LabCluster(nodes={"cpu": NodeGroup(count=1)})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, lab_servers: Mapping[str, Path]) -> Iterator[Lab]:
    clusters = {"east": SMALL, "west": SMALL}
    opened = open_clusters(tmp_path_factory.mktemp("shared") / "lab", lab_servers, clusters)
    yield opened
    opened.stop()


@pytest.fixture
def place(make_site: Make, lab: Lab) -> Callable[..., Site]:
    """`place("one", ["a"])`: an environment `world` with a state of its own that leaves these notes in `east`."""

    def made(name: str, notes: Sequence[str], **more: Any) -> Site:
        site = make_site({}, name=name)
        point(site, lab, "east")
        stack = {"kind": "notes", "cluster": "${cluster}", "names": list(notes), **more}
        site.write(
            {"cluster": {"kind": "existing_cluster", "kubeconfig": "${file:kubeconfig}"}, "notes": stack}, target="real"
        )
        return site

    return made


@pytest.fixture
def east(lab: Lab) -> Iterator[KubeClient]:
    """Left without notes, so that a test that failed does not fail the next."""
    with KubeClient.from_kubeconfig(kubeconfig(lab, "east")) as client:
        yield client
        for name in notes(client):
            ref = ObjectRef("v1", "ConfigMap", name, "default")
            client.patch(ref, {"metadata": {"finalizers": None}})
            client.delete(ref)


def point(site: Site, lab: Lab, cluster: str) -> None:
    (site.folder / "kubeconfig").write_text(kubeconfig(lab, cluster))


def server(lab: Lab, cluster: str) -> str:
    return str(clusters_of(lab)[cluster]["server"])


def uid(lab: Lab, cluster: str) -> str:
    return str(clusters_of(lab)[cluster]["uid"])


def notes(client: KubeClient) -> dict[str, str]:
    """Text by name of the notes that stand."""
    return {item["metadata"]["name"]: item["data"]["text"] for item in notes_of(client)}


def notes_of(client: KubeClient) -> Sequence[Mapping[str, Any]]:
    return client.list("v1", "ConfigMap", "default", labels=MARK_ENVIRONMENT)


def outcomes(told: Told) -> dict[str, str]:
    return {result["stack"]: result["outcome"] for result in told["results"]}


def state(site: Site) -> dict[str, Any]:
    """The resources of every stack, as the state has them; secrets are sealed anew each time that it is written."""
    files = (site.state / ".pulumi" / "stacks" / "world").glob("*.json")
    return {path.stem: unsealed(json.loads(path.read_text())["checkpoint"]["latest"]["resources"]) for path in files}


def unsealed(tree: Any) -> Any:
    if isinstance(tree, list):
        return [unsealed(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {key: unsealed(value) for key, value in tree.items() if key not in {"ciphertext", "modified"}}


def test_of_two_namesakes_one_is_destroyed_and_the_other_untouched(
    place: Callable[..., Site], east: KubeClient
) -> None:
    one, two = place("one", ["a", "b"]), place("two", ["c", "d"], text="two")
    assert one.result("up")["exit_code"] == 0
    assert two.result("up")["exit_code"] == 0
    assert notes(east) == {"a": "a", "b": "a", "c": "two", "d": "two"}

    assert one.result("destroy")["exit_code"] == 0
    assert notes(east) == {"c": "two", "d": "two"}
    assert outcomes(two.result("up", "--no-skip")) == {"cluster": "unchanged", "notes": "unchanged"}
    assert two.result("destroy")["nothing_left"][-1] == "state (0 stacks)"
    assert notes(east) == {}


def test_what_belongs_to_a_namesake_is_not_taken_over(place: Callable[..., Site], east: KubeClient) -> None:
    one, two = place("one", ["a"]), place("two", ["a", "b"], text="two")
    assert one.result("up")["exit_code"] == 0
    refused = two.result("up")
    (id,) = {item["metadata"]["labels"][MARK_ID] for item in notes_of(east)}
    assert refused["exit_code"] == 4
    assert refused["results"][1]["error"]["message"] == (
        f"ConfigMap default/a exists already and belongs to stack notes of environment world ({id})"
    )
    assert notes(east) == {"a": "a"}
    assert two.result("destroy")["exit_code"] == 0
    assert notes(east) == {"a": "a"}
    assert one.result("destroy")["exit_code"] == 0


def test_a_destroy_goes_to_the_cluster_that_was_recorded(
    place: Callable[..., Site], lab: Lab, east: KubeClient
) -> None:
    site, other = place("one", ["a"]), place("two", ["a"])
    point(other, lab, "west")
    assert [site.result("up")["exit_code"], other.result("up")["exit_code"]] == [0, 0]
    point(site, lab, "west")
    assert site.result("destroy")["exit_code"] == 0
    assert notes(east) == {}
    with KubeClient.from_kubeconfig(kubeconfig(lab, "west")) as west:
        assert notes(west) == {"a": "a"}
    assert other.result("destroy")["exit_code"] == 0


def test_what_a_chart_left_is_named_where_the_state_that_could_tell_is_lost(
    make_site: Make, lab: Lab, east: KubeClient
) -> None:
    site = make_site({})
    point(site, lab, "east")
    cluster = {"kind": "existing_cluster", "kubeconfig": "${file:kubeconfig}"}
    site.write({"cluster": cluster, "nfd": {"kind": "nfd", "cluster": "${cluster}"}}, target="real")
    assert site.result("destroy")["exit_code"] == 0
    rbac = "rbac.authorization.k8s.io/v1"
    marks = {"meta.helm.sh/release-name": "nfd", "meta.helm.sh/release-namespace": "node-feature-discovery"}
    role = {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": "nfd", "annotations": marks}, "rules": []}
    east.create(role)
    try:
        told = [site.result("destroy"), site.result("destroy", "--environment-id", "0123456789ab")]
    finally:
        east.delete(ObjectRef(rbac, "ClusterRole", "nfd"))
    assert [run["exit_code"] for run in told] == [5, 5]
    for run in told:
        (left,) = run["errors"]
        assert left["message"] == (
            "ClusterRole nfd came with a Helm release in the namespace node-feature-discovery, which is gone"
        )
        assert left["hint"] == "nothing tells whose they are; if this environment made them, delete them"


def test_a_cluster_that_the_file_no_longer_has_is_swept_too(place: Callable[..., Site], east: KubeClient) -> None:
    site = place("one", ["a"])
    assert site.result("up")["exit_code"] == 0
    for path in site.state.rglob("notes.json*"):
        if ".aiinfra" not in path.parts:
            path.unlink()
    site.write({"other": {"kind": "things", "count": 1, "folder": str(site.things)}}, target="real")
    assert site.result("destroy")["exit_code"] == 0
    assert notes(east) == {}


def test_what_stands_without_a_state_is_swept_by_its_mark(place: Callable[..., Site], east: KubeClient) -> None:
    site = place("one", ["a", "b"])
    assert site.result("up")["exit_code"] == 0
    for path in site.state.rglob("notes.json*"):
        if ".aiinfra" not in path.parts:
            path.unlink()
    told = site.result("destroy")
    assert told["exit_code"] == 0
    assert "2 swept" in told["nothing_left"][0]
    assert notes(east) == {}


def test_an_object_made_by_hand_is_neither_taken_over_nor_deleted(place: Callable[..., Site], east: KubeClient) -> None:
    """The kind `notes` says nothing of marks: `Bundle` puts them on by itself."""
    ref = ObjectRef("v1", "ConfigMap", "precious", "default")
    metadata = {"name": "precious", "namespace": "default"}
    made = east.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": "by hand"}})
    site = place("hand", ["precious"])
    told = site.result("up")
    (error,) = told["errors"]
    assert (told["exit_code"], error["code"], error["message"]) == (
        4,
        "kube.foreign",
        "ConfigMap default/precious exists already and belongs to none of our environments",
    )
    assert site.result("destroy")["exit_code"] == 0
    assert east.get(ref) == made
    east.delete(ref)
