"""How a lab's vCenter is reached, as its folder says it. Read on every command: no heavy import."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

FOLDER: Final = "vcenter"
ACCOUNT: Final = "account.json"


@dataclass(frozen=True, slots=True)
class VCenterAccount:
    """Secret."""

    host: str
    port: int
    user: str
    password: str
    fingerprint: str

    @classmethod
    def read(cls, lab: Path) -> Self | None:
        """Of the lab in this folder; None when it has no vCenter."""
        try:
            return cls(**json.loads((lab / FOLDER / ACCOUNT).read_text()))
        except FileNotFoundError:
            return None
