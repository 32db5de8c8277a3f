"""Keys, tokens and kubeconfigs."""

from __future__ import annotations

import base64
import json

from aiinfra.domains.kubernetes.lab.credentials import kubeconfig, new_tokens, signing_key, token_file


def test_a_kubeconfig_trusts_the_clusters_authority_and_nothing_else() -> None:
    text = kubeconfig("dc1", "https://127.0.0.1:6443", "-----BEGIN CERTIFICATE-----\n", "admin", "s3cret")
    document = json.loads(text)
    assert document["current-context"] == "dc1"
    assert document["contexts"] == [{"name": "dc1", "context": {"cluster": "dc1", "user": "admin"}}]
    assert document["users"] == [{"name": "admin", "user": {"token": "s3cret"}}]
    (cluster,) = document["clusters"]
    assert set(cluster["cluster"]) == {"server", "certificate-authority-data"}
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"-----BEGIN CERTIFICATE-----\n"


def test_each_token_is_random_and_has_a_row() -> None:
    tokens = new_tokens()
    assert len(set(tokens.values())) == len(tokens)
    assert token_file(tokens).splitlines()[0] == f'{tokens["admin"]},admin,admin,"system:masters"'
    assert new_tokens()["admin"] != tokens["admin"]


def test_a_signing_key_is_pem_and_new_each_time() -> None:
    key = signing_key()
    assert key.startswith("-----BEGIN EC PRIVATE KEY-----\n")
    assert key.endswith("-----END EC PRIVATE KEY-----\n")
    assert signing_key() != key
