"""Where the files of simulated clusters lie. Read on every command: no heavy import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

INTERNAL: Final = "kubeconfig"
"""File with the direct address, for the lab's own controllers."""
HANDED_OUT: Final = "user.kubeconfig"
"""File with the address of the relay that `api-partition` shuts, for everybody else."""
SPEC: Final = "spec.json"
REAL_CHARTS: Final = "charts.json"
"""File with the charts that the cluster has for real, where it has any."""
CLUSTERS: Final = "clusters"
EXPECTED: Final = f"{CLUSTERS}/expected.json"
"""File of the lab: names of the clusters that stacks make during a run, a list."""


def cluster_home(lab: Path, name: str) -> Path:
    return lab / CLUSTERS / name


def kubeconfig_files(lab: Path) -> Mapping[str, Path]:
    """Return the kubeconfig file to hand out for each cluster of the lab that answers, by the cluster's name."""
    return {path.parent.name: path for path in sorted((lab / CLUSTERS).glob(f"*/{HANDED_OUT}"))}
