"""Labs with clusters, as tests open them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiinfra.domains.kubernetes.lab import domain
from aiinfra.domains.kubernetes.lab.block import LabCluster
from aiinfra.engine.wire import Tree
from aiinfra.lab.lab import Lab

KUBERNETES = "kubernetes"


def wanted(clusters: Mapping[str, LabCluster], made_by_stacks: tuple[str, ...] = ()) -> Mapping[str, Tree]:
    """What `Lab.open` takes for these clusters."""
    return {KUBERNETES: domain.clusters_spec(clusters, made_by_stacks)}


def open_clusters(
    folder: Path,
    servers: Mapping[str, Path],
    clusters: Mapping[str, LabCluster],
    say: Callable[[str], None] = lambda text: None,
) -> Lab:
    return Lab.open(folder, wanted(clusters), servers, say)


def clusters_of(lab: Lab) -> Mapping[str, Mapping[str, Any]]:
    """What the lab recorded of its clusters, by name."""
    return lab.parts(KUBERNETES)


def kubeconfig(lab: Lab, cluster: str) -> str:
    return domain.kubeconfig(lab.folder, cluster)
