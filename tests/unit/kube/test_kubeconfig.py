"""Kubeconfigs that cannot be used say why, and never quote a value."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid, Refused
from aiinfra.domains.kubernetes.client.kubeconfig import Access, ExecLogin, parse
from aiinfra.domains.kubernetes.client.login import Login


def a_kubeconfig(**broken: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "u", "user": {"token": "very-secret-token"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
        **broken,
    }


def test_a_good_one() -> None:
    access = parse(json.dumps(a_kubeconfig()))
    assert (access.server, access.token) == ("https://127.0.0.1:6443", "very-secret-token")
    assert "very-secret-token" not in repr(access)


def test_the_only_context_is_taken_when_none_is_current() -> None:
    document = a_kubeconfig()
    del document["current-context"]
    assert parse(json.dumps(document)).server == "https://127.0.0.1:6443"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"clusters": []}, "the kubeconfig names no cluster"),
        ({"current-context": "y"}, "the kubeconfig's context 'y' is not in its contexts"),
        ({"users": []}, "the kubeconfig's user 'u' is not in its users"),
        ({"contexts": [], "current-context": ""}, "the kubeconfig has no current-context"),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "127.0.0.1"}}]},
            "the kubeconfig's cluster has no server address that starts with https://",
        ),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority-data": "%%"}}]},
            "certificate-authority-data of the kubeconfig is not base64",
        ),
        (
            {
                "clusters": [
                    {
                        "name": "c",
                        "cluster": {
                            "server": "https://x",
                            "certificate-authority-data": base64.b64encode(b"no pem").decode(),
                        },
                    }
                ]
            },
            "a certificate or key in the kubeconfig is not valid PEM",
        ),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority": "/no/such"}}]},
            "certificate-authority of the kubeconfig cannot be read: No such file or directory: /no/such",
        ),
    ],
)
def test_what_is_wrong_is_said(broken: dict[str, Any], says: str) -> None:
    with pytest.raises(KubeconfigInvalid) as caught:
        parse(json.dumps(a_kubeconfig(**broken)))
    assert caught.value.record.message == says


@pytest.mark.parametrize("text", ["", "{", "[]", "just text", "a: b"])
def test_other_texts_are_no_kubeconfig(text: str) -> None:
    with pytest.raises(KubeconfigInvalid):
        parse(text)


def logged_in(command: str, *args: str) -> Login:
    document = a_kubeconfig(
        users=[
            {
                "name": "u",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "interactiveMode": "Never",
                        "command": command,
                        "args": list(args),
                        "env": [{"name": "WHO", "value": "me"}],
                    }
                },
            }
        ]
    )
    return Login(parse(json.dumps(document)))


def test_a_credential_plugin_gives_the_token(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = f'echo run >> {runs}; echo "{{\\"status\\": {{\\"token\\": \\"$WHO-token\\"}}}}"'
    login = logged_in("sh", "-c", script)
    assert login.headers() == {"Authorization": "Bearer me-token"}
    assert login.headers() == {"Authorization": "Bearer me-token"}
    assert runs.read_text() == "run\n"
    assert login.renew()
    login.headers()
    assert runs.read_text() == "run\nrun\n"


def test_a_credential_plugin_that_fails_is_named_and_not_quoted() -> None:
    with pytest.raises(Refused) as caught:
        logged_in("sh", "-c", "echo half-a-secret; exit 3").headers()
    assert caught.value.record.message == "the credential plugin sh of the kubeconfig gave no token"
    assert "half-a-secret" not in str(caught.value)


def test_without_a_plugin_there_is_nothing_to_renew() -> None:
    login = Login(parse(json.dumps(a_kubeconfig())))
    assert login.headers() == {"Authorization": "Bearer very-secret-token"}
    assert not login.renew()


def test_a_login_is_part_of_an_access() -> None:
    access = parse(
        json.dumps(a_kubeconfig(users=[{"name": "u", "user": {"exec": {"apiVersion": "v1", "command": "aws"}}}]))
    )
    assert isinstance(access, Access)
    assert access.login == ExecLogin("v1", "aws")
