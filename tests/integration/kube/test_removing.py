"""Deletions that the API server itself has given up on, as it does under load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.removing import RETRY_MARK, await_gone
from aiinfra.waiting import Pending, Waiter
from tests.integration.kube.engine import Site

pytestmark = pytest.mark.lab
WIDGETS = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.removing.example")
HELD = "tests.example/held"
FAILED = {
    "type": "Terminating",
    "status": "True",
    "reason": "InstanceDeletionFailed",
    "message": "could not list instances: storage is (re)initializing",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def given_up(east: Site) -> Iterator[None]:
    """A definition that is being deleted, with the condition that the API server leaves when it fails to."""
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "removing.example", "scope": "Cluster", "names": names, "versions": [version]}
    metadata = {"name": WIDGETS.name, "finalizers": [HELD]}
    east.client.create({"apiVersion": WIDGETS.api_version, "kind": WIDGETS.kind, "metadata": metadata, "spec": spec})
    east.client.delete(WIDGETS)

    def only_held() -> bool | Pending:
        found = east.client.get(WIDGETS)
        assert found is not None
        return found["metadata"]["finalizers"] == [HELD] or Pending("the API server's own finalizer to be gone")

    Waiter(60).until(only_held)
    east.client.patch(WIDGETS, {"status": {"conditions": [FAILED]}}, subresource="status")
    yield
    east.client.patch(WIDGETS, {"metadata": {"finalizers": None}})
    assert await_gone(east.client, [WIDGETS], {}, Waiter(30)) == []


def test_the_api_server_is_made_to_try_again_to_delete_a_definition(east: Site, given_up: None) -> None:
    left = await_gone(east.client, [WIDGETS], {}, Waiter(1))

    assert [str(leftover) for leftover in left] == [
        "CustomResourceDefinition widgets.removing.example: could not list instances: storage is (re)initializing"
    ]
    found = east.client.get(WIDGETS)
    assert found is not None
    assert found["metadata"]["annotations"][RETRY_MARK].isdigit()
