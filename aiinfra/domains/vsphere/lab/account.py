"""How a lab's vCenter is reached, and what it was started as. Read on every command: no heavy import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from aiinfra.dataclass import dataclass

FOLDER: Final = "vcenter"
ACCOUNT: Final = "account.json"
STARTED_AS: Final = "wanted.json"


@dataclass(frozen=True, slots=True)
class VCenterAccount:
    """Access to a lab's vCenter; secret."""

    host: str
    port: int
    user: str
    password: str
    fingerprint: str

    @classmethod
    def read(cls, lab: Path) -> Self | None:
        """Return the account at the vCenter of the lab in this folder; None when it has no vCenter."""
        try:
            return cls(**json.loads((lab / FOLDER / ACCOUNT).read_text()))
        except FileNotFoundError:
            return None


def started_as(lab: Path) -> Mapping[str, Any] | None:
    """Return the description that the vCenter of the lab in this folder was started with, without its account.

    None when the lab has no vCenter.
    """
    try:
        description: Mapping[str, Any] = json.loads((lab / FOLDER / STARTED_AS).read_text())
    except FileNotFoundError:
        return None
    return description
