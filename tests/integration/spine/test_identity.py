"""Before any step on a real target each cluster is asked who it is: what is wrong ends the run with exit 3."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.lab.lab import Lab
from tests.integration.spine.site import Site, Told
from tests.integration.spine.test_shared_cluster import notes, outcomes, point, server, state, uid
from tests.labs import kubeconfig, open_clusters

pytestmark = [pytest.mark.engine, pytest.mark.lab]
Make = Callable[..., Site]
SMALL = LabCluster(nodes={"cpu": NodeGroup(count=1)})
REACH_HINT = "check that the cluster is up and that this machine can reach the address in the kubeconfig"
ANOTHER_HINT = "give the kubeconfig of the recorded cluster; the new one takes an environment of another name"
VERBS = ["up", "refresh", "preview", "destroy"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, lab_servers: Mapping[str, Path]) -> Iterator[Lab]:
    clusters = {"east": SMALL, "west": SMALL}
    folder = tmp_path_factory.mktemp("identity") / "lab"
    opened = open_clusters(folder, lab_servers, clusters)
    yield opened
    opened.stop()


@pytest.fixture
def site(make_site: Make, lab: Lab) -> Site:
    """An environment `world` that leaves the note `a` in the cluster that the file `kubeconfig` tells of."""
    made = make_site({})
    write(made)
    point(made, lab, "east")
    return made


def write(site: Site, **cluster: Any) -> None:
    given = {"kind": "existing_cluster", "kubeconfig": "${file:kubeconfig}", **cluster}
    memo = {"kind": "notes", "cluster": "${cluster}", "names": ["a"]}
    site.write({"cluster": given, "notes": memo}, target="real")


def give(site: Site, lab: Lab, *, cluster: Mapping[str, Any] | None = None, **changes: Any) -> None:
    """The kubeconfig of east, with changes of its `cluster` entry and of the document."""
    document = json.loads(kubeconfig(lab, "east"))
    document["clusters"][0]["cluster"] |= cluster or {}
    (site.folder / "kubeconfig").write_text(json.dumps({**document, **changes}))


def acted(site: Site, verb: str, *more: str) -> Told:
    yes = ["--yes"] if verb in {"up", "destroy"} else []
    told: Told = json.loads(site.run(verb, "world", "--output", "json", *yes, *more).stdout)
    return told


def refusal(site: Site, verb: str = "up") -> Mapping[str, Any]:
    """The one error of a run that ended before any step, with nothing begun."""
    told = acted(site, verb)
    assert told["exit_code"] == 3, told
    assert not told.get("results")
    (error,) = told["errors"]
    assert error["where"] == "cluster"
    return {key: error[key] for key in ("code", "message", "hint")}


def nothing_begun(site: Site) -> bool:
    """No environment was made and no stack is in the state."""
    return not list(site.state.rglob("environment.json")) and not list(site.state.rglob("cluster.json"))


@contextmanager
def relay(host: str, targets: Sequence[int]) -> Iterator[int]:
    """A port on `host` that passes bytes on to the first of `targets`; without one it accepts and says nothing."""
    held: list[socket.socket] = []

    def passing(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                held.append(near)
                if targets:
                    far = socket.create_connection(("127.0.0.1", targets[0]))
                    held.append(far)
                    for pair in ((near, far), (far, near)):
                        threading.Thread(target=passing, args=pair, daemon=True).start()

    with socket.create_server((host, 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    for one in held:
        one.close()


def test_a_cluster_that_does_not_answer(site: Site, lab: Lab) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{free.getsockname()[1]}"
        give(site, lab, cluster={"server": address})
        assert refusal(site) == {
            "code": "kube.unreachable",
            "message": f"{address} cannot be reached: Connection refused",
            "hint": REACH_HINT,
        }
        text = site.run("up", "world", "--yes")
    assert (text.returncode, text.stdout) == (3, "")
    assert text.stderr.splitlines() == [
        f"✗ cluster: {address} cannot be reached: Connection refused",
        f"  → {REACH_HINT}",
        "  code kube.unreachable · may pass by itself · exit 3",
    ]
    assert nothing_begun(site)


def test_a_connection_that_hangs(site: Site, lab: Lab) -> None:
    with relay("127.0.0.1", []) as port:
        give(site, lab, cluster={"server": f"https://127.0.0.1:{port}"})
        told = refusal(site)
    assert told["message"] == f"https://127.0.0.1:{port} did not answer in time"
    assert told["code"] == "kube.unreachable"


def test_a_server_of_another_name_than_its_certificate_has(site: Site, lab: Lab) -> None:
    port = int(server(lab, "east").rpartition(":")[2])
    with relay("127.0.0.2", [port]) as other:
        address = f"https://127.0.0.2:{other}"
        give(site, lab, cluster={"server": address})
        assert refusal(site) == {
            "code": "kube.tls",
            "message": f"the certificate of {address} is not trusted: "
            "IP address mismatch, certificate is not valid for '127.0.0.2'",
            "hint": "give the server an address in the kubeconfig that its certificate names",
        }


def test_a_certificate_that_is_not_trusted(site: Site, lab: Lab) -> None:
    give(site, lab, cluster={"certificate-authority-data": None})
    assert refusal(site) == {
        "code": "kube.tls",
        "message": f"the certificate of {server(lab, 'east')} is not trusted: "
        "self-signed certificate in certificate chain",
        "hint": "put the cluster's CA into certificate-authority-data of the kubeconfig",
    }


def test_a_server_without_tls(site: Site, lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            near, _ = listening.accept()
            with near:
                near.recv(1024)
                near.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        address = f"https://127.0.0.1:{listening.getsockname()[1]}"
        give(site, lab, cluster={"server": address})
        told = refusal(site)
    assert told == {
        "code": "kube.unreachable",
        "message": f"TLS with {address} fails: wrong version number",
        "hint": REACH_HINT,
    }


def test_a_token_that_has_expired(site: Site, lab: Lab) -> None:
    give(site, lab, users=[{"name": "admin", "user": {"token": "expired"}}])
    assert refusal(site) == {
        "code": "kube.refused",
        "message": f"{server(lab, 'east')} does not accept the credentials of the kubeconfig",
        "hint": "get a fresh kubeconfig for this cluster",
    }


def test_a_user_without_the_right_to_know_the_cluster(site: Site, lab: Lab) -> None:
    give(site, lab, users=[{"name": "admin", "user": {}}])
    assert refusal(site) == {
        "code": "kube.refused",
        "message": f"{server(lab, 'east')} does not tell the kubeconfig's user which cluster it is: "
        'namespaces "kube-system" is forbidden: User "system:anonymous" cannot get resource '
        '"namespaces" in API group "" in the namespace "kube-system"',
        "hint": "let the user get the namespace kube-system, whose uid is the cluster's identity",
    }


def test_a_server_that_is_no_kubernetes(site: Site, lab: Lab) -> None:
    give(site, lab, cluster={"server": f"{server(lab, 'east')}/nowhere"})
    assert refusal(site, "preview") == {
        "code": "kube.failed",
        "message": f"{server(lab, 'east')}/nowhere does not answer as a Kubernetes API server does",
        "hint": REACH_HINT,
    }


def test_contexts_that_are_not_there(site: Site, lab: Lab) -> None:
    give(site, lab, contexts=[])
    assert refusal(site)["message"] == "the kubeconfig's context 'east' is not in its contexts"
    give(site, lab)
    write(site, context="old")
    assert refusal(site) == {
        "code": "kube.kubeconfig",
        "message": "the kubeconfig has no context old",
        "hint": "it has: east",
    }
    (site.folder / "kubeconfig").write_text("just words")
    write(site)
    assert refusal(site)["message"] == "the kubeconfig names no cluster"
    assert nothing_begun(site)


def test_a_proxy_of_the_environment_is_not_taken_and_said(site: Site, lab: Lab) -> None:
    behind = replace(site, environ={**site.environ, "HTTPS_PROXY": "http://proxy.example:3128"})
    assert acted(behind, "preview")["exit_code"] == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
        give(site, lab, cluster={"server": f"https://127.0.0.1:{closed}"})
        assert refusal(behind)["hint"] == (
            "HTTPS_PROXY is not used for API servers: write the proxy as proxy-url of the cluster into the kubeconfig"
        )
        near = replace(site, environ={**behind.environ, "NO_PROXY": "localhost, 127.0.0.1"})
        assert refusal(near)["hint"] == REACH_HINT
        give(site, lab, cluster={"proxy-url": f"http://user:canary@127.0.0.1:{closed}"})
        assert refusal(site)["message"] == (
            f"{server(lab, 'east')} through the proxy http://127.0.0.1:{closed} cannot be reached: Connection refused"
        )


def test_every_cluster_that_is_not_in_order_is_told(site: Site, lab: Lab) -> None:
    (site.folder / "second").write_text("{}")
    give(site, lab, users=[{"name": "admin", "user": {"token": "expired"}}])
    one, two = ({"kind": "existing_cluster", "kubeconfig": f"${{file:{name}}}"} for name in ("kubeconfig", "second"))
    site.write({"one": one, "two": two}, target="real")
    told = acted(site, "up")
    assert told["exit_code"] == 3
    assert [(error["where"], error["message"]) for error in told["errors"]] == [
        ("one", f"{server(lab, 'east')} does not accept the credentials of the kubeconfig"),
        ("two", "the kubeconfig names no cluster"),
    ]
    assert acted(site, "up", "--only", "two")["errors"][0]["where"] == "two"


@contextmanager
def one_address(site: Site, lab: Lab) -> Iterator[Callable[[str], None]]:
    """A kubeconfig of one address, and a way to say which cluster answers there: its login comes from a program."""
    login = site.folder / "login.json"
    targets: list[int] = []

    def answer(cluster: str) -> None:
        token = json.loads(kubeconfig(lab, cluster))["users"][0]["user"]["token"]
        login.write_text(json.dumps({"status": {"token": token}}))
        targets[:] = [int(server(lab, cluster).rpartition(":")[2])]

    with relay("127.0.0.1", targets) as port:
        entry = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
        program = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "cat", "args": [str(login)]}
        users = [{"name": "admin", "user": {"exec": program}}]
        give(site, lab, cluster={**entry, "certificate-authority-data": None}, users=users)
        yield answer


@pytest.mark.parametrize("verb", VERBS)
def test_a_cluster_that_was_made_anew_at_the_same_address_is_not_touched(site: Site, lab: Lab, verb: str) -> None:
    with one_address(site, lab) as answer:
        answer("east")
        assert site.result("up")["exit_code"] == 0
        before = state(site)
        answer("west")
        told = refusal(site, verb)
        assert told["code"] == "cluster.another"
        assert told["message"].endswith(
            f" is another cluster: its uid is {uid(lab, 'west')}, recorded is {uid(lab, 'east')}"
        )
        assert state(site) == before
        answer("east")
        assert site.result("destroy")["exit_code"] == 0
    with KubeClient.from_kubeconfig(kubeconfig(lab, "east")) as east:
        assert notes(east) == {}


def test_another_cluster_stops_all_but_a_destroy_and_nothing_is_touched(site: Site, lab: Lab) -> None:
    assert site.result("up")["exit_code"] == 0
    before = state(site)
    point(site, lab, "west")
    another = {
        "code": "cluster.another",
        "message": f"{server(lab, 'west')} is another cluster: its uid is {uid(lab, 'west')}, "
        f"recorded is {uid(lab, 'east')}",
        "hint": ANOTHER_HINT,
    }
    assert [refusal(site, verb) for verb in ("up", "refresh", "preview")] == [another] * 3
    examined = json.loads(site.run("doctor", "world", "--output", "json").stdout)
    (found,) = [one for one in examined["findings"] if one.get("code") == "cluster.another"]
    assert (found["read"], found["hint"]) == (another["message"], ANOTHER_HINT)
    assert acted(site, "up", "--only", "notes")["errors"][0]["code"] == "cluster.another"
    assert state(site) == before
    with KubeClient.from_kubeconfig(kubeconfig(lab, "west")) as west:
        assert notes(west) == {}

    point(site, lab, "east")
    assert outcomes(site.result("up")) == {"cluster": "unchanged", "notes": "unchanged"}
    point(site, lab, "west")
    assert site.result("destroy")["exit_code"] == 0


def test_a_cluster_that_was_made_anew_is_told_also_after_a_run_that_failed(site: Site, lab: Lab) -> None:
    assert site.result("up")["exit_code"] == 0
    for note in site.state.rglob("stacks/cluster.json"):
        if ".aiinfra" in note.parts:
            note.unlink()
    point(site, lab, "west")
    assert refusal(site)["code"] == "cluster.another"
    point(site, lab, "east")
    assert site.result("destroy")["exit_code"] == 0


def test_a_new_cluster_takes_an_environment_of_another_name(site: Site, lab: Lab) -> None:
    assert site.result("up")["exit_code"] == 0
    point(site, lab, "west")
    assert refusal(site)["hint"] == ANOTHER_HINT
    renamed = replace(site, environment="other")
    write(renamed)
    assert renamed.result("up")["exit_code"] == 0
    with KubeClient.from_kubeconfig(kubeconfig(lab, "west")) as west:
        assert notes(west) == {"a": "a"}
    assert renamed.result("destroy")["exit_code"] == 0
    assert site.result("destroy")["exit_code"] == 0


@pytest.mark.parametrize("verb", VERBS)
def test_a_cluster_that_went_away_stops_every_verb_before_a_step(site: Site, lab: Lab, verb: str) -> None:
    assert site.result("up")["exit_code"] == 0
    before = state(site)
    lab.set_fault("api-partition", "east")
    try:
        told = refusal(site, verb)
    finally:
        lab.lift_fault("api-partition", "east")
    assert told["code"] == "kube.unreachable"
    assert told["message"].startswith(server(lab, "east"))
    assert state(site) == before
    assert acted(site, verb)["exit_code"] == 0
    assert site.result("destroy")["exit_code"] == 0


@pytest.mark.parametrize("verb", VERBS)
def test_a_kubeconfig_that_is_no_longer_accepted_stops_every_verb_before_a_step(
    site: Site, lab: Lab, verb: str
) -> None:
    shutil.rmtree(site.state, ignore_errors=True)
    give(site, lab, users=[{"name": "admin", "user": {"token": "expired"}}])
    assert refusal(site, verb)["code"] == "kube.refused"
    assert nothing_begun(site)
