"""What operators wrote on nodes: taken off when they are gone, and only what they themselves set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.needs import NodeLeftovers
from aiinfra.domains.kubernetes.objects.node_leftovers import remove_node_leftovers
from aiinfra.waiting import Waiter
from tests.integration.kube.engine import Site

pytestmark = pytest.mark.lab
TRACES = NodeLeftovers(("traces.example.com/",), ("operator",), "operators.traces.example.com")


@pytest.fixture
def node(east: Site) -> Iterator[ObjectRef]:
    """A node that an operator labelled, and a person too."""
    ref = ObjectRef.of(east.client.list("v1", "Node")[0])
    ours = {"labels": {"traces.example.com/gpu": "true", "other.example.com/kept": "true"}}
    east.client.patch(
        ref, {"metadata": ours | {"annotations": {"traces.example.com/seen": "1"}}}, field_manager="operator"
    )
    by_hand = {"metadata": {"labels": {"traces.example.com/mine": "yes"}}}
    east.client.patch(ref, by_hand, field_manager="kubectl-label")
    yield ref
    gone = dict.fromkeys(("traces.example.com/gpu", "traces.example.com/mine", "other.example.com/kept"))
    east.client.patch(ref, {"metadata": {"labels": gone, "annotations": {"traces.example.com/seen": None}}})


def written(site: Site, ref: ObjectRef) -> list[str]:
    found = site.client.get(ref)
    assert found is not None
    meta = found["metadata"]
    return sorted(key for key in {**meta["labels"], **meta["annotations"]} if "example.com/" in key)


def test_what_an_operator_set_goes_and_what_others_set_stays_and_is_told(east: Site, node: ObjectRef) -> None:
    cleared = remove_node_leftovers(east.client, [TRACES], Waiter(10))
    assert (cleared.removed, cleared.remaining) == (2, ["traces.example.com/mine"])
    assert written(east, node) == ["other.example.com/kept", "traces.example.com/mine"]
    assert remove_node_leftovers(east.client, [TRACES], Waiter(10)).removed == 0


def test_nothing_is_taken_while_the_operator_may_work(east: Site, node: ObjectRef) -> None:
    group, kind = "traces.example.com", {"plural": "operators", "singular": "operator", "kind": "Operator"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    spec = {"group": group, "names": kind, "scope": "Cluster", "versions": [version]}
    metadata = {"name": TRACES.definition}
    made = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    definition = ObjectRef.of(east.client.create({**made, "metadata": metadata, "spec": spec}))
    try:
        cleared = remove_node_leftovers(east.client, [TRACES], Waiter(10))
    finally:
        east.client.delete(definition)
    assert cleared.removed == 0
    assert "traces.example.com/gpu" in written(east, node)
    assert cleared.remaining == ["traces.example.com/gpu", "traces.example.com/mine", "traces.example.com/seen"]
