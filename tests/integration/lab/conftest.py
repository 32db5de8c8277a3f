"""Labs with real control planes, in folders that go with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.lab.lab import Lab
from aiinfra.waiting import Pending, Waiter
from tests.labs import kubeconfig, open_clusters

SMALL = LabCluster(nodes={"cpu": NodeGroup(count=1, cpu=4, memory="16Gi")})


@pytest.fixture(scope="module")
def clusters() -> Mapping[str, LabCluster]:
    gpu = NodeGroup(count=2, gpu="H100-SXM5-80GB", gpus=8, cpu=96, memory="1Ti", os="rhel9.6", kernel="5.14.0-570.el9")
    return {"east": LabCluster(nodes={"cpu": NodeGroup(count=1), "gpu": gpu}), "west": SMALL}


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, lab_servers: Mapping[str, Path], clusters: Mapping[str, LabCluster]
) -> Iterator[Lab]:
    """A lab with the clusters `east` and `west`."""
    folder = tmp_path_factory.mktemp("labs") / "shared"
    opened = open_clusters(folder, lab_servers, clusters)
    yield opened
    opened.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a test may open a lab of its own; stopped afterwards."""
    path = tmp_path / "own"
    yield path
    left = Lab.find(path)
    if left:
        left.stop()


@pytest.fixture
def east(lab: Lab) -> Iterator[KubeClient]:
    with KubeClient.from_kubeconfig(kubeconfig(lab, "east")) as client:
        yield client


def until(ask: Callable[[], object], what: str) -> None:
    Waiter(limit=120, every=0.1).until(lambda: True if ask() else Pending(what))
