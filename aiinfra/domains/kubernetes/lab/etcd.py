"""What the lab asks of its etcd itself, by the JSON gateway of etcd's API on the socket in the lab's folder."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import httpx

from aiinfra.domains.kubernetes.lab.control_plane import ETCD_SOCKET

ANSWER_LIMIT: Final = 30.0
"""Seconds."""
_SOCKET: Final = ETCD_SOCKET.removeprefix("unix://")
"""Relative to the lab's folder, where its supervisor runs: 108 bytes are all that a socket's path may have."""


def forget_prefix(prefix: str) -> None:
    """Delete all keys of a cluster that is gone. An etcd that does not answer keeps them until the lab ends."""
    below = f"{prefix}/".encode()
    end = below[:-1] + bytes((below[-1] + 1,))
    keys = {"key": b64encode(below).decode(), "range_end": b64encode(end).decode()}
    transport = httpx.HTTPTransport(uds=_SOCKET)
    with httpx.Client(transport=transport, base_url="http://etcd", timeout=ANSWER_LIMIT, trust_env=False) as client:
        try:
            client.post("/v3/kv/deleterange", json=keys).raise_for_status()
        except httpx.HTTPError as error:
            print(f"etcd keeps {prefix}: {error}", flush=True)
