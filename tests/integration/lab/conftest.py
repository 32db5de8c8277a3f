"""Labs with real control planes, in folders that go with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.lab.lab import Lab
from aiinfra.model.lab import LabCluster, LabSpec, NodeGroup
from aiinfra.waiting import Pending, Waiter

SMALL = LabCluster(nodes={"cpu": NodeGroup(count=1, cpu=4, memory="16Gi")})

OpenLab = Callable[..., Lab]


@pytest.fixture(scope="module")
def spec() -> LabSpec:
    gpu = NodeGroup(count=2, gpu="H100-SXM5-80GB", gpus=8, cpu=96, memory="1Ti", os="rhel9.6", kernel="5.14.0-570.el9")
    return LabSpec(clusters={"east": LabCluster(nodes={"cpu": NodeGroup(count=1), "gpu": gpu}), "west": SMALL})


def open_lab(folder: Path, servers: Mapping[str, Path], spec: LabSpec, names: Sequence[str], said: list[str]) -> Lab:
    return Lab.open(folder, spec, names, servers, said.append)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, lab_servers: Mapping[str, Path], spec: LabSpec) -> Iterator[Lab]:
    """A lab with the clusters `east` and `west`."""
    folder = tmp_path_factory.mktemp("labs") / "shared"
    opened = open_lab(folder, lab_servers, spec, ["east", "west"], [])
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
    with KubeClient.from_kubeconfig(lab.kubeconfig("east")) as client:
        yield client


def until(ask: Callable[[], object], what: str) -> None:
    Waiter(limit=120, every=0.1).until(lambda: True if ask() else Pending(what))
