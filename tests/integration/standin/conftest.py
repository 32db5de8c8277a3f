"""A lab with one cluster, and the stand-in provider as the engine would call it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.block import LabCluster
from aiinfra.domains.kubernetes.lab.standins.kubernetes import spec
from aiinfra.providers.contract import Call, Diff, Made, Properties, ResourceHandler
from tests import labs

HELM = "app.kubernetes.io/managed-by=Helm"


class Provider:
    """Calls the stand-in the way the engine does: check, then what is asked for."""

    def __init__(self, kubeconfig: str) -> None:
        self.crds_late = False
        self.awaited: list[str] = []
        self._config = {"kubeconfig": kubeconfig}
        self._spec = spec(lambda call: self.crds_late)

    def checked(self, type: str, name: str, inputs: Properties) -> Properties:
        checked, failures = self._handler(type).check(self._call(type, name), inputs)
        assert not failures
        return checked

    def create(self, type: str, name: str, inputs: Properties) -> Made:
        return self._handler(type).create(self._call(type, name), self.checked(type, name, inputs))

    def update(self, type: str, name: str, made: Made, news: Properties) -> Made:
        checked = self.checked(type, name, news)
        return self._handler(type).update(self._call(type, name), made.id, made.outputs, checked)

    def diff(self, type: str, name: str, olds: Properties, news: Properties) -> Diff:
        old, new = self.checked(type, name, olds), self.checked(type, name, news)
        return self._handler(type).diff(self._call(type, name), "", old, old, new)

    def read(self, type: str, name: str, made: Made, inputs: Properties) -> Made | None:
        checked = self.checked(type, name, inputs)
        return self._handler(type).read(self._call(type, name), made.id, checked, made.outputs)

    def delete(self, type: str, name: str, made: Made) -> None:
        self._handler(type).delete(self._call(type, name), made.id, made.outputs)

    def _handler(self, type: str) -> ResourceHandler:
        found = self._spec.resources.get(type, self._spec.fallback)
        assert found is not None
        return found

    def _call(self, type: str, name: str) -> Call:
        urn = f"urn:pulumi:app::site::{type}::{name}"
        return Call(urn, self._config, threading.Event(), lambda what, seconds: self.awaited.append(what))


def said(made: Made) -> dict[str, Any]:
    """The outputs as plain data."""
    return dict(made.outputs)


class World:
    """The cluster as it is, asked of its API server."""

    def __init__(self, client: KubeClient) -> None:
        self.client = client

    def of_helm(self) -> Sequence[str]:
        """Every object that says Helm manages it, and the releases that Helm stores."""
        found: list[ObjectRef] = []
        for resource in self.client.resources(refresh=True):
            if {"list", "delete"} <= resource.verbs:
                found += map(ObjectRef.of, self.client.list(resource.api_version, resource.kind, labels=HELM))
        found += map(ObjectRef.of, self.client.list("v1", "Secret", labels="owner=helm"))
        return sorted(map(str, found))

    def definitions(self) -> Sequence[str]:
        found = self.client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        return sorted(crd["metadata"]["name"] for crd in found)

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Mapping[str, Any] | None:
        return self.client.get(ObjectRef(api_version, kind, name, namespace))


@pytest.fixture(scope="session")
def kubeconfig(lab_servers: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    lab = labs.open_clusters(tmp_path_factory.mktemp("standin") / "lab", lab_servers, {"dc1": LabCluster()})
    yield labs.kubeconfig(lab, "dc1")
    lab.stop()


@pytest.fixture(scope="session")
def world(kubeconfig: str) -> Iterator[World]:
    with KubeClient.from_kubeconfig(kubeconfig) as client:
        yield World(client)


@pytest.fixture
def provider(kubeconfig: str) -> Provider:
    return Provider(kubeconfig)


@pytest.fixture
def namespace(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own."""
    name = request.node.name.partition("[")[0].replace("_", "-").removeprefix("test-")[:50].strip("-")
    world.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    world.client.delete(ObjectRef("v1", "Namespace", name))
