"""Each field of a kubeconfig is honoured as kubectl does, or refused by name; none is ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid, Refused
from aiinfra.domains.kubernetes.client.kubeconfig import parse
from aiinfra.domains.kubernetes.client.login import Login
from tests.unit.kube.kubeconfigs import V1, plugin, text


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
