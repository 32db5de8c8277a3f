"""A watch whose connection ends in the middle of an event goes on with a new one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiinfra.domains.kubernetes.client.client import KubeClient

NODES = {"resources": [{"name": "nodes", "kind": "Node", "namespaced": False, "verbs": ["list", "watch"]}]}
PARTS = ('{"type": "ADDED", "object": %s}\n', '{"type": "MODIFIED", "object": {"metadata": {"na')


def a_node(name: str) -> str:
    return json.dumps({"metadata": {"name": name, "resourceVersion": "1"}})


class Cutting(BaseHTTPRequestHandler):
    """An API server that ends each watch after one event and a half."""

    watched: list[str]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if "watch=true" not in self.path:
            self.wfile.write(json.dumps(NODES).encode())
            return
        self.watched.append(self.path)
        self.wfile.write("".join(PARTS).replace("%s", a_node(f"n{len(self.watched)}")).encode())


@contextmanager
def cutting() -> Iterator[KubeClient]:
    handler = type("Once", (Cutting,), {"watched": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        named = {"name": "a", "context": {"cluster": "a", "user": "a"}}
        cluster = {"name": "a", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        user = {"name": "a", "user": {"token": "t"}}
        text = json.dumps({"current-context": "a", "contexts": [named], "clusters": [cluster], "users": [user]})
        with KubeClient.from_kubeconfig(text) as client:
            yield client
        server.shutdown()


def test_half_an_event_is_no_event() -> None:
    stop, seen = threading.Event(), []
    with cutting() as client:
        for event, node in client.watch("v1", "Node", stop=stop):
            seen.append((event, node["metadata"]["name"]))
            if len(seen) == 2:
                stop.set()
    assert seen == [("ADDED", "n1"), ("ADDED", "n2")]
