"""Keys, tokens and kubeconfigs of one simulated cluster, all new for each lab."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Final

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_OID_P256: Final = bytes.fromhex("06082a8648ce3d030107")

ADMIN: Final = "admin"
IDENTITIES: Final[Mapping[str, str]] = {
    ADMIN: "admin",
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
    "kwok": "kwok",
    "controllers": "lab-controllers",
}
"""Who has a token, and the user name the API server sees."""


def signing_key() -> str:
    """A P-256 private key in PEM (SEC 1) for service account tokens.

    Without its optional public point: Go's `crypto/x509` computes it from the private number.
    """
    number = (secrets.randbelow(P256_ORDER - 1) + 1).to_bytes(32, "big")
    der = _tlv(0x30, _tlv(0x02, b"\x01") + _tlv(0x04, number) + _tlv(0xA0, _OID_P256))
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{body}-----END EC PRIVATE KEY-----\n"


def _tlv(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value


def new_tokens() -> dict[str, str]:
    return {identity: secrets.token_urlsafe(32) for identity in IDENTITIES}


def token_file(tokens: Mapping[str, str]) -> str:
    """The API server's static token file; each identity is an administrator of its own name."""
    rows = (f'{tokens[key]},{user},{user},"system:masters"' for key, user in IDENTITIES.items())
    return "\n".join(rows) + "\n"


def kubeconfig(cluster: str, server: str, authority: str, user: str, token: str) -> str:
    """A kubeconfig (JSON is YAML) that verifies the server against `authority`, PEM text."""
    ca = base64.b64encode(authority.encode()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": ca}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
    }
    return json.dumps(document, indent=1) + "\n"
