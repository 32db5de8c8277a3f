"""Deletions that the API server itself has given up on, as it does under load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.blockers import waits_for_apis
from aiinfra.domains.kubernetes.objects.removing import RETRY_MARK, await_gone
from aiinfra.waiting import Pending, Waiter
from tests.integration.kube.engine import Site

pytestmark = pytest.mark.lab
WIDGETS = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.removing.example")
HELD = "tests.example/held"
GADGETS = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gadgets.removing.example")
FAILED = {
    "type": "Terminating",
    "status": "True",
    "reason": "InstanceDeletionFailed",
    "message": "could not list instances: storage is (re)initializing",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def define(east: Site, ref: ObjectRef, kind: str, *finalizers: str) -> None:
    names = {"plural": f"{kind.lower()}s", "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "removing.example", "scope": "Cluster", "names": names, "versions": [version]}
    metadata = {"name": ref.name, "finalizers": finalizers}
    east.client.create({"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, "spec": spec})


@pytest.fixture
def given_up(east: Site) -> Iterator[None]:
    """A definition that is being deleted, with the condition that the API server leaves when it fails to."""
    define(east, WIDGETS, "Widget", HELD)
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


def test_a_definition_that_stays_for_an_object_names_it_and_its_finalizer(east: Site) -> None:
    define(east, GADGETS, "Gadget")
    Waiter(20).until(lambda: east.client.serves("removing.example/v1", "Gadget") or Pending("the kind"))
    made = [east.client.create(a_gadget(f"g{number}", [HELD] * (number < 1))) for number in range(2)]
    east.client.delete(GADGETS)

    left = await_gone(east.client, [GADGETS], {}, Waiter(2))

    assert [str(leftover) for leftover in left] == [
        "CustomResourceDefinition gadgets.removing.example: "
        "Gadget g0 waits for its finalizer tests.example/held, whose controller does not act"
    ]
    east.client.patch(ObjectRef.of(made[0]), {"metadata": {"finalizers": None}})
    assert await_gone(east.client, [GADGETS], {}, Waiter(30)) == []


def a_gadget(name: str, finalizers: list[str]) -> Object:
    metadata = {"name": name, "finalizers": finalizers}
    return {"apiVersion": "removing.example/v1", "kind": "Gadget", "metadata": metadata}


def conditions(east: Site, ref: ObjectRef) -> list[Object]:
    return list(((east.client.get(ref) or {}).get("status") or {}).get("conditions") or ())


def test_a_namespace_that_an_api_without_a_server_keeps_names_it_and_one_with_content_the_object(east: Site) -> None:
    spec = {"group": "absent.example", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100}
    spec |= {"insecureSkipTLSVerify": True, "service": {"name": "absent", "namespace": "default"}}
    service = ObjectRef("apiregistration.k8s.io/v1", "APIService", "v1.absent.example")
    place, held = ObjectRef("v1", "Namespace", "kept"), ObjectRef("v1", "ConfigMap", "held", "kept")
    east.client.create({"apiVersion": place.api_version, "kind": place.kind, "metadata": {"name": place.name}})
    metadata = {"name": held.name, "namespace": held.namespace, "finalizers": [HELD]}
    east.client.create({"apiVersion": held.api_version, "kind": held.kind, "metadata": metadata})
    east.client.delete(place)
    Waiter(20).until(lambda: conditions(east, place) or Pending("the controller of namespaces"))
    assert [str(left) for left in await_gone(east.client, [place], {}, Waiter(1))] == [
        "Namespace kept: ConfigMap kept/held waits for its finalizer tests.example/held, whose controller does not act"
    ]

    east.client.create(
        {"apiVersion": service.api_version, "kind": service.kind, "metadata": {"name": service.name}, "spec": spec}
    )
    try:
        Waiter(20).until(lambda: waits_for_apis(east.client.get(place) or {}) or Pending("the condition"))
        (left,) = await_gone(east.client, [place], {}, Waiter(1))
    finally:
        east.client.delete(service)
    assert (left.why, left.hint) == (
        'APIService v1.absent.example is not available, as service/absent in "default" is not present: '
        "no namespace can go",
        "bring its server back, or delete APIService v1.absent.example",
    )
    east.client.patch(held, {"metadata": {"finalizers": None}})
    assert await_gone(east.client, [place], {}, Waiter(60)) == []
