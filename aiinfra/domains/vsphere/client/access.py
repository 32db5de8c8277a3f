"""How to reach a vCenter, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from aiinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """One account on one vCenter."""

    host: str
    user: str
    password: str = field(repr=False)
    port: int = 443
    ca: str = field(default="", repr=False)
    """Authorities to trust instead of the system's, PEM; empty: the system's."""
    fingerprint: str = ""
    """SHA-256 of the certificate, hexadecimal with or without colons; pins it in place of any authority."""
    insecure: bool = False
    """Accept any certificate; shown wherever the vCenter is named."""

    def __str__(self) -> str:
        shown = self.host if self.port == 443 else f"{self.host}:{self.port}"
        return f"{shown} (certificate not verified)" if self.insecure else shown


def access_of(connection: Mapping[str, Any]) -> Access:
    """Return the account that the fields of a `VCenterSpec` describe, once all of them are known."""
    return Access(
        host=str(connection["host"]),
        user=str(connection["user"]),
        password=str(connection["password"]),
        port=int(connection.get("port") or 443),
        ca=str(connection.get("ca") or ""),
        fingerprint=str(connection.get("fingerprint") or ""),
        insecure=bool(connection.get("insecure")),
    )
