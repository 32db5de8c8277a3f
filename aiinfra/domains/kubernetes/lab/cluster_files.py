"""Where the files of a simulated cluster lie. Read on every command: no heavy import."""

from __future__ import annotations

from pathlib import Path
from typing import Final

INTERNAL: Final = "kubeconfig"
"""File with the direct address, for the lab's own controllers."""
HANDED_OUT: Final = "user.kubeconfig"
"""File with the address of the door that a partition shuts, for everybody else."""
SPEC: Final = "spec.json"


def cluster_home(lab: Path, name: str) -> Path:
    return lab / "clusters" / name
