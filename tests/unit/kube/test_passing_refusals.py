"""What an API server refuses for a moment only: it is transient, and no hint sends anybody to his rights."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, from_status

RIGHT = "give the kubeconfig's user the right to do this"
LISTS = 'nodes is forbidden: User "ci" cannot list resource "nodes" in API group "" at the cluster scope'


@pytest.mark.parametrize(
    ("status", "message", "hint", "transient"),
    [
        (403, LISTS, RIGHT, False),
        (
            403,
            f'{LISTS}: RBAC: clusterrole.rbac.authorization.k8s.io "view" not found',
            "run again if the API server has just started; else make the role that a binding names",
            True,
        ),
        (
            403,
            'pods "a" is forbidden: not yet ready to handle request',
            "run again: the API server has just started",
            True,
        ),
        (
            403,
            'pods "a" is forbidden: status unknown for quota: gpus, resources: limits.nvidia.com/gpu',
            "run again: the ResourceQuota was not counted yet",
            True,
        ),
        (
            403,
            'configmaps "a" is forbidden: unable to create new content in namespace n because it is being terminated',
            "wait until the namespace is gone, then run again",
            True,
        ),
        (403, 'pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged', "", False),
        (403, 'pods "a" is forbidden: exceeded quota: gpus, requested: 8, used: 8, limited: 8', "", False),
        (
            409,
            'Operation cannot be fulfilled on nodes "a": the object has been modified; please apply your changes to '
            "the latest version and try again",
            "run again: somebody else wrote it at the same moment",
            True,
        ),
        (409, 'namespaces "a" already exists', "", False),
        (409, 'Apply failed with 1 conflict: conflict with "kubectl": .data.a', "", False),
        (401, "Unauthorized", "get a fresh kubeconfig for this cluster", False),
        (410, "The provided continue parameter is too old", "", True),
        (429, "Too many requests", "", True),
        (503, "the server is currently unable to handle the request", "", True),
        (500, "failed to create typed patch object", "", False),
    ],
)
def test_a_refusal_of_a_moment_is_told_from_a_lasting_one(
    status: int, message: str, hint: str, transient: bool
) -> None:
    record = from_status(status, {"message": message}, "https://k", "Node a").record
    assert (record.hint, record.transient) == (hint, transient)


class Away(BaseHTTPRequestHandler):
    """An API server behind a load balancer that finds it only at the second try."""

    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def answer(self) -> None:
        self.asked.append(self.command)
        status = 503 if len(self.asked) == 1 else 200
        body = json.dumps({"gitVersion": "v1.36.3", "message": "no backend"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_DELETE = answer


@contextmanager
def away() -> Iterator[tuple[KubeClient, list[str]]]:
    asked: list[str] = []
    handler = type("Once", (Away,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        named = {"name": "a", "context": {"cluster": "a", "user": "a"}}
        cluster = {"name": "a", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        user = {"name": "a", "user": {"token": "t"}}
        text = json.dumps({"current-context": "a", "contexts": [named], "clusters": [cluster], "users": [user]})
        with KubeClient.from_kubeconfig(text) as client:
            yield client, asked
        server.shutdown()


def test_what_only_reads_is_asked_again_once_when_the_server_was_away() -> None:
    with away() as (client, asked):
        assert client.version() == "v1.36.3"
        assert asked == ["GET", "GET"]


def test_what_changes_something_is_not_sent_twice() -> None:
    with away() as (client, asked), pytest.raises(KubeError) as caught:
        client.raw("DELETE", "/api/v1/namespaces/a")
    assert (asked, caught.value.record.transient) == (["DELETE"], True)
