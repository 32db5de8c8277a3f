"""What a server sees of a client that was made from a kubeconfig."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Untrusted
from tests.unit.kube.kubeconfigs import plugin, text


@dataclass(slots=True)
class Seen:
    """What a server was asked."""

    headers: list[list[tuple[str, str]]] = field(default_factory=list)
    client_names: list[str] = field(default_factory=list)
    cut_off: int = 0
    """How many of the next requests are cut off without an answer."""


def certificate(folder: Path, name: str, *arguments: str) -> tuple[str, str]:
    """PEM of a certificate and its key, signed by itself."""
    crt, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-keyout", str(key), "-out", str(crt), "-subj", f"/CN={name}", *arguments],
        check=True, capture_output=True,
    )  # fmt: skip
    return crt.read_text(), key.read_text()


@contextmanager
def api_server(folder: Path, client_ca: str = "") -> Iterator[tuple[str, Path, Seen]]:
    """A server whose certificate names `api.example` alone; its address, its CA, and what it saw."""
    certificate(folder, "server", "-addext", "subjectAltName=DNS:api.example")
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.headers.append([(name, value) for name, value in self.headers.items() if name[:2] in {"Im", "Au"}])
            peer = self.connection.getpeercert() if client_ca else None
            if peer:
                seen.client_names.append(peer["subject"][0][0][1])
            if seen.cut_off:
                seen.cut_off -= 1
                self.close_connection = True
                return
            body = b'{"kind": "Namespace", "metadata": {"name": "n"}, "resources": []}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.crt", folder / "server.key")
    if client_ca:
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(cadata=client_ca)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", folder / "server.crt", seen
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def ask(kubeconfig: str) -> None:
    with KubeClient.from_kubeconfig(kubeconfig, timeout=10) as client:
        client._transport.json("GET", "/api/v1/namespaces/n")


def test_the_name_of_the_servers_certificate_may_be_another(tmp_path: Path) -> None:
    with api_server(tmp_path) as (server, ca, seen):
        cluster = {"server": server, "certificate-authority": str(ca)}
        with pytest.raises(Untrusted):
            ask(text({"token": "t"}, cluster))
        ask(text({"token": "t"}, {**cluster, "tls-server-name": "api.example"}))
        assert seen.headers == [[("Authorization", "Bearer t")]]


def test_everything_is_done_as_whom_the_kubeconfig_says(tmp_path: Path) -> None:
    user = {
        "token": "t",
        "as": "gr\u00fcn",
        "as-uid": "7",
        "as-groups": ["one", "two"],
        "as-user-extra": {"acme.io/scope": ["a", "b"]},
    }
    with api_server(tmp_path) as (server, ca, seen):
        cluster = {"server": server, "certificate-authority": str(ca), "tls-server-name": "api.example"}
        ask(text(user, cluster))
        assert seen.headers == [
            [
                ("Authorization", "Bearer t"),
                ("Impersonate-User", "gr\u00fcn".encode().decode("latin-1")),
                ("Impersonate-Uid", "7"),
                ("Impersonate-Group", "one"),
                ("Impersonate-Group", "two"),
                ("Impersonate-Extra-acme.io%2Fscope", "a"),
                ("Impersonate-Extra-acme.io%2Fscope", "b"),
            ]
        ]


def test_a_certificate_that_a_plugin_gives_is_used(tmp_path: Path) -> None:
    crt, key = certificate(tmp_path, "from-the-plugin")
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"status": {"clientCertificateData": crt, "clientKeyData": key}}))
    with api_server(tmp_path, client_ca=crt) as (server, ca, seen):
        cluster = {"server": server, "certificate-authority": str(ca), "tls-server-name": "api.example"}
        ask(text(plugin(f"cat {answer}"), cluster))
        assert (seen.client_names, seen.headers) == (["from-the-plugin"], [[]])


def test_a_question_that_is_cut_off_is_asked_once_more(tmp_path: Path) -> None:
    with api_server(tmp_path) as (server, ca, seen):
        cluster = {"server": server, "certificate-authority": str(ca), "tls-server-name": "api.example"}
        seen.cut_off = 1
        ask(text({"token": "t"}, cluster))
        assert len(seen.headers) == 2
