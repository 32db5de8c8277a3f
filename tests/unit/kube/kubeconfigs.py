"""Kubeconfigs of one user and one cluster."""

from __future__ import annotations

import json
from typing import Any

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
