"""Each field of a kubeconfig is honoured as kubectl does, or refused by name; none is ignored."""

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
from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid, Refused, Untrusted
from aiinfra.domains.kubernetes.client.kubeconfig import parse
from aiinfra.domains.kubernetes.client.login import Login
from tests.unit.kube.test_kubeconfig import a_kubeconfig

V1 = "client.authentication.k8s.io/v1"


def text(user: dict[str, Any], cluster: dict[str, Any] | None = None) -> str:
    return json.dumps(
        a_kubeconfig(
            clusters=[{"name": "c", "cluster": {"server": "https://127.0.0.1:6443", **(cluster or {})}}],
            users=[{"name": "u", "user": user}],
        )
    )


def plugin(script: str, **more: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": V1, "command": "sh", "args": ["-c", script], "interactiveMode": "Never", **more}}


@pytest.mark.parametrize(
    ("user", "cluster", "says"),
    [
        (
            {"auth-provider": {"name": "gcp"}},
            {},
            "the kubeconfig's user logs in by auth-provider gcp, which is not supported",
        ),
        ({"as-groups": ["admins"]}, {}, "the kubeconfig's user has as-groups without as"),
        ({"as-user-extra": {"a": ["b"]}}, {}, "the kubeconfig's user has as-user-extra without as"),
        (
            {"as": "two\nlines"},
            {},
            "as of the kubeconfig's user, or what goes with it, holds a control character",
        ),
        (
            {"token": "t", "username": "me"},
            {},
            "the kubeconfig has both a token and a username or password at once, which kubectl refuses too",
        ),
        ({"exec": {"apiVersion": V1}}, {}, "exec of the kubeconfig's user names no command"),
        ({"exec": {"command": "aws"}}, {}, "exec of the kubeconfig's user names no apiVersion"),
        (
            {"client-certificate-data": "Yg=="},
            {},
            "the kubeconfig's user has a client-certificate and no client-key",
        ),
        (
            {"token": "t"},
            {"insecure-skip-tls-verify": True, "certificate-authority-data": "Yg=="},
            "the kubeconfig has insecure-skip-tls-verify and a certificate-authority at once, which kubectl refuses too",
        ),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(user: dict[str, Any], cluster: dict[str, Any], says: str) -> None:
    try:
        parse(text(user, cluster))
    except KubeconfigInvalid as error:
        assert error.record.message == says
    else:
        pytest.fail("it was taken")


@pytest.mark.parametrize(
    ("user", "says", "way_out"),
    [
        (
            plugin("true", command="no-such-plugin", installHint="brew install it\n  or ask us\x1b[1m"),
            "the credential plugin no-such-plugin of the kubeconfig is not installed",
            "brew install it or ask us?[1m",
        ),
        (
            plugin("true", command="no-such-plugin"),
            "the credential plugin no-such-plugin of the kubeconfig is not installed",
            "install no-such-plugin",
        ),
        (
            plugin("echo half-a-secret; echo first >&2; echo token expired, log in >&2; exit 3"),
            "the credential plugin sh of the kubeconfig gave no token: first / token expired, log in",
            "run it by hand, or log in: sh",
        ),
        (
            plugin("true", interactiveMode=None),
            "the credential plugin sh of the kubeconfig has no interactiveMode, which"
            " client.authentication.k8s.io/v1 needs for kubectl too",
            "write interactiveMode: IfAvailable into exec, or Never",
        ),
        (
            plugin("true", interactiveMode="Always"),
            "the credential plugin sh of the kubeconfig needs a terminal to ask on (interactiveMode: Always)",
            "log in by hand first and set interactiveMode to IfAvailable, or use another user of the kubeconfig",
        ),
        (
            plugin("true", interactiveMode="Sometimes"),
            "the credential plugin sh of the kubeconfig has the unknown interactiveMode Sometimes",
            "write Never, IfAvailable, Always there",
        ),
        (
            plugin("true", apiVersion="client.authentication.k8s.io/v1alpha1"),
            "the credential plugin sh of the kubeconfig has the apiVersion client.authentication.k8s.io/v1alpha1,"
            " which kubectl no longer takes either",
            "write client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1 into exec.apiVersion",
        ),
        (
            plugin("""echo '{"apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "t"}}'"""),
            "the credential plugin sh of the kubeconfig gave no token: it answered as"
            " client.authentication.k8s.io/v1beta1, exec.apiVersion is client.authentication.k8s.io/v1",
            "run it by hand, or log in: sh",
        ),
        (
            plugin("""echo '{"status": {"clientCertificateData": "c"}}'"""),
            "the credential plugin sh of the kubeconfig gave no token: it gave only one of clientCertificateData and"
            " clientKeyData",
            "run it by hand, or log in: sh",
        ),
        (
            plugin("""echo '{"status": {"clientCertificateData": "c", "clientKeyData": "k"}}'"""),
            "the credential plugin sh of the kubeconfig gave a certificate that is not valid PEM",
            "",
        ),
    ],
)
def test_a_plugin_that_gives_nothing_says_why(user: dict[str, Any], says: str, way_out: str) -> None:
    with pytest.raises(Refused) as caught:
        Login(parse(text(user))).headers()
    assert (caught.value.record.message, caught.value.record.hint) == (says, way_out)


def test_a_plugin_has_its_variables_and_is_told_of_the_cluster_when_it_asks(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    script = f'echo "$KUBERNETES_EXEC_INFO" > {heard}; echo "{{\\"status\\": {{\\"token\\": \\"$WHO-token\\"}}}}"'
    cluster = {
        "tls-server-name": "api.example",
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}],
    }
    env = [{"name": "WHO", "value": "me"}]
    login = Login(parse(text(plugin(script, env=env, provideClusterInfo=True), cluster)))
    assert login.headers() == {"Authorization": "Bearer me-token"}
    assert json.loads(heard.read_text()) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://127.0.0.1:6443",
                "tls-server-name": "api.example",
                "config": {"audience": "a"},
            },
        },
    }
    Login(parse(text(plugin(script), cluster))).headers()
    assert json.loads(heard.read_text())["spec"] == {"interactive": False}


def test_a_plugin_is_not_run_for_a_user_with_a_token_of_its_own() -> None:
    login = Login(parse(text({"token": "mine", **plugin("exit 1")})))
    assert login.headers() == {"Authorization": "Bearer mine"}


def test_a_credential_that_has_expired_is_asked_for_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    answer = json.dumps({"status": {"token": "t", "expirationTimestamp": "2020-01-01T00:00:00Z"}})
    login = Login(parse(text(plugin(f"echo run >> {runs}; echo '{answer}'"))))
    login.headers()
    login.headers()
    assert runs.read_text() == "run\nrun\n"


def test_a_token_file_is_read_anew_and_is_stronger_than_a_token(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    login = Login(parse(text({"tokenFile": str(token), "token": "old"})))
    assert login.headers() == {"Authorization": "Bearer first"}
    token.write_text("second\n")
    assert login.headers() == {"Authorization": "Bearer second"}
    token.unlink()
    assert login.headers() == {"Authorization": "Bearer old"}


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
