"""Two small clusters with real API servers, and our provider as the engine meets it: over gRPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.lab.lab import Lab
from aiinfra.providers.aiinfra_provider import spec
from aiinfra.providers.servicer import Served, serve
from tests.integration.kube.engine import Connection, Site
from tests.labs import kubeconfig, open_clusters

SMALL = LabCluster(nodes={"cpu": NodeGroup(count=1, cpu=4, memory="16Gi")})
PATIENCE = 2.0


@pytest.fixture(scope="session")
def two_clusters(lab_servers: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("kube") / "lab"
    lab = open_clusters(folder, lab_servers, {"east": SMALL, "west": SMALL}, _unheard)
    yield lab
    lab.stop()


def _unheard(text: str) -> None:
    return


@pytest.fixture(scope="session")
def sites(two_clusters: Lab) -> Iterator[Mapping[str, Site]]:
    texts = {name: kubeconfig(two_clusters, name) for name in ("east", "west")}
    clients = {name: KubeClient.from_kubeconfig(text) for name, text in texts.items()}
    yield {name: Site(texts[name], client, client.cluster_uid()) for name, client in clients.items()}
    for client in clients.values():
        client.close()


@pytest.fixture
def east(sites: Mapping[str, Site]) -> Site:
    return sites["east"]


@pytest.fixture
def west(sites: Mapping[str, Site]) -> Site:
    return sites["west"]


@pytest.fixture
def said() -> list[str]:
    """What resources said they wait for."""
    return []


@pytest.fixture
def served(said: list[str], other_kinds: Path) -> Iterator[Served]:
    provider = serve([spec(PATIENCE)], lambda urn, what, seconds: said.append(what))
    yield provider
    provider.stop()


@pytest.fixture
def engine(served: Served) -> Iterator[Connection]:
    with Connection(served.ports["aiinfra"]) as connection:
        yield connection
