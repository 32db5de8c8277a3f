"""A bundle's life in real clusters, as the engine drives it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.sweep import inventory, sweep
from aiinfra.engine.wire import Secret, Tree
from aiinfra.providers.servicer import Served
from tests.integration.kube.engine import Connection, Failed, Properties, Site

pytestmark = pytest.mark.lab

BUNDLE = "aiinfra:kubernetes:Bundle"
ID = "b0d1e5"
MARKS: Properties = {
    "aiinfra.dev/environment": "dc1",
    "aiinfra.dev/environment-id": ID,
    "aiinfra.dev/stack": "app",
}


@pytest.fixture(autouse=True)
def clean(east: Site, west: Site) -> Iterator[None]:
    yield
    for site in (east, west):
        swept = sweep(site.client, ID)
        assert not swept.left


def a_namespace(name: str = "app") -> Properties:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def a_map(name: str, **data: Tree) -> Properties:
    metadata: Properties = {"name": name, "namespace": "app"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def a_bundle(site: Site, *objects: Tree, **more: Tree) -> Properties:
    return {**site.access(), "objects": list(objects), "labels": MARKS, "limit_seconds": 20, **more}


def data_of(site: Site, name: str) -> Any:
    obj = site.client.get(ObjectRef("v1", "ConfigMap", name, "app"))
    return obj and obj.get("data")


def there(site: Site) -> list[str]:
    """Ours in the cluster, without what its controllers copy our labels to."""
    return [str(ref) for ref in inventory(site.client, ID) if ref.kind != "EndpointSlice"]


def test_its_life(engine: Connection, east: Site) -> None:
    made = engine.create(BUNDLE, a_bundle(east, a_map("a", x="1"), a_map("b"), a_namespace()))
    assert there(east) == ["ConfigMap app/a", "ConfigMap app/b", "Namespace app"]
    made = engine.update(BUNDLE, made, a_bundle(east, a_namespace(), a_map("a", x="2"), a_map("c")))
    assert there(east) == ["ConfigMap app/a", "ConfigMap app/c", "Namespace app"]
    assert data_of(east, "a") == {"x": "2"}
    engine.delete(BUNDLE, made)
    assert there(east) == []


def test_a_preview_touches_nothing(engine: Connection, east: Site) -> None:
    made = engine.create(BUNDLE, a_bundle(east, a_namespace()), preview=True)
    assert made["id"] == ""
    assert there(east) == []


def test_a_create_that_did_not_answer_is_taken_up_by_the_next(engine: Connection, east: Site) -> None:
    first = engine.create(BUNDLE, a_bundle(east, a_namespace(), a_map("a", x="1")))
    again = engine.create(BUNDLE, a_bundle(east, a_namespace(), a_map("a", x="2")))
    assert again["uids"] == first["uids"]
    assert data_of(east, "a") == {"x": "2"}


def test_what_is_there_and_not_ours_is_refused_before_anything_is_touched(engine: Connection, east: Site) -> None:
    east.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "theirs"}})
    with pytest.raises(Failed) as caught:
        engine.create(BUNDLE, a_bundle(east, a_namespace("ours"), a_namespace("theirs")))
    assert caught.value.text == (
        "Namespace theirs exists already and belongs to none of our environments"
        " → delete it, or give ours another name [kube.foreign]"
    )
    assert there(east) == []
    east.client.delete(ObjectRef("v1", "Namespace", "theirs"))


def test_a_refused_object_leaves_what_was_made_in_the_state(engine: Connection, east: Site) -> None:
    bad = {**a_map("bad"), "daat": {}}
    with pytest.raises(Failed) as caught:
        engine.create(BUNDLE, a_bundle(east, a_namespace(), a_map("good"), bad))
    assert caught.value.step.record.message == (
        "ConfigMap app/bad: failed to create typed patch object (app/bad; /v1, Kind=ConfigMap): "
        ".daat: field not declared in schema"
    )
    assert caught.value.kept is not None
    assert caught.value.kept["objects"] == [a_namespace(), a_map("good")]
    healed = engine.update(BUNDLE, caught.value.kept, a_bundle(east, a_namespace(), a_map("good"), a_map("bad")))
    assert there(east) == ["ConfigMap app/bad", "ConfigMap app/good", "Namespace app"]
    engine.delete(BUNDLE, healed)


def test_secrets_reach_the_cluster_and_no_message(engine: Connection, east: Site) -> None:
    secret: Properties = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "app"}}
    good: Properties = {**secret, "stringData": {"password": Secret("canary-7c41")}}
    made = engine.create(BUNDLE, a_bundle(east, a_namespace(), good))
    kept = east.client.get(ObjectRef("v1", "Secret", "s", "app"))
    assert kept is not None
    assert kept["data"] == {"password": "Y2FuYXJ5LTdjNDE="}
    odd: Properties = {**secret, "stringData": {"password": Secret(7123456)}}
    with pytest.raises(Failed) as caught:
        engine.update(BUNDLE, made, a_bundle(east, a_namespace(), odd))
    assert "7123456" not in caught.value.text


def test_a_custom_resource_waits_for_its_definition(engine: Connection, east: Site) -> None:
    schema: Properties = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    }
    crd: Properties = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    widget: Properties = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"size": 3},
    }
    made = engine.create(BUNDLE, a_bundle(east, widget, crd))
    assert there(east) == ["CustomResourceDefinition widgets.example.com", "Widget w"]
    with pytest.raises(Failed) as caught:
        engine.update(BUNDLE, made, a_bundle(east, {**widget, "spec": {"sise": 3}}, crd))
    assert ".spec.sise: field not declared in schema" in caught.value.text
    engine.delete(BUNDLE, made)
    assert there(east) == []


def test_drift_is_seen_and_undone(engine: Connection, east: Site) -> None:
    inputs = a_bundle(east, a_namespace(), a_map("a", x="1"), a_map("b"))
    made = engine.create(BUNDLE, inputs)
    assert engine.read(BUNDLE, inputs, made)["objects"] == inputs["objects"]
    east.client.patch(ObjectRef("v1", "ConfigMap", "a", "app"), {"data": {"x": "drift"}}, field_manager="kubectl")
    east.client.delete(ObjectRef("v1", "ConfigMap", "b", "app"))
    seen = engine.read(BUNDLE, inputs, made)
    assert seen["objects"] == [a_namespace(), a_map("a", x="drift")]
    engine.update(BUNDLE, {**made, "objects": seen["objects"]}, inputs)
    assert data_of(east, "a") == {"x": "1"}
    assert there(east) == ["ConfigMap app/a", "ConfigMap app/b", "Namespace app"]


def test_fields_that_others_add_are_no_drift(engine: Connection, east: Site) -> None:
    inputs = a_bundle(east, a_namespace(), a_map("a", x="1"))
    made = engine.create(BUNDLE, inputs)
    east.client.patch(ObjectRef("v1", "ConfigMap", "a", "app"), {"data": {"y": "theirs"}}, field_manager="kubectl")
    assert engine.read(BUNDLE, inputs, made)["objects"] == inputs["objects"]
    engine.update(BUNDLE, made, a_bundle(east, a_namespace(), a_map("a", x="2")))
    assert data_of(east, "a") == {"x": "2", "y": "theirs"}


def test_another_cluster_behind_the_kubeconfig_is_left_alone(engine: Connection, east: Site, west: Site) -> None:
    made = engine.create(BUNDLE, a_bundle(east, a_namespace()))
    wrong = {**a_bundle(east, a_namespace()), "kubeconfig": west.kubeconfig}
    says = f"{west.client.server} is another cluster: its uid is {west.uid}, recorded is {east.uid}"
    with pytest.raises(Failed) as caught:
        engine.create(BUNDLE, wrong)
    assert caught.value.step.record.message == says
    with pytest.raises(Failed) as caught:
        engine.delete(BUNDLE, {**made, "kubeconfig": west.kubeconfig})
    assert caught.value.step.record.message == says
    assert there(west) == []
    with pytest.raises(Failed) as caught:
        engine.diff(BUNDLE, a_bundle(east), a_bundle(west))
    assert f"its uid is {west.uid}, recorded is {east.uid}" in caught.value.text


def test_two_clusters_through_one_servicer_and_one_of_them_cancelled(
    served: Served, east: Site, west: Site, said: list[str]
) -> None:
    held = a_namespace("held")
    west.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "held", "labels": MARKS}})
    blocker = {"name": "x", "namespace": "held", "finalizers": ["example.com/hold"]}
    west.client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": blocker})
    west.client.delete(ObjectRef("v1", "Namespace", "held"))
    with Connection(served.ports["aiinfra"], "app") as one, Connection(served.ports["aiinfra"], "app") as other:
        failures: list[Failed] = []

        def create_in_west() -> None:
            try:
                other.create(BUNDLE, a_bundle(west, held, limit_seconds=60))
            except Failed as failed:
                failures.append(failed)

        waiting = threading.Thread(target=create_in_west)
        waiting.start()
        one.create(BUNDLE, a_bundle(east, a_namespace()))
        _until(said, "Namespace held to be gone")
        other.cancel()
        waiting.join(10)
        assert not waiting.is_alive()
        one.create(BUNDLE, a_bundle(east, a_namespace(), a_map("after")), name="second")
    assert failures[0].text == "stopped while waiting for Namespace held to be gone [run.interrupted]"
    assert there(east) == ["ConfigMap app/after", "Namespace app"]
    west.client.patch(ObjectRef("v1", "ConfigMap", "x", "held"), {"metadata": {"finalizers": None}})


def _until(said: list[str], what: str) -> None:
    from aiinfra.waiting import Pending, Waiter

    Waiter(20, every=0.05).until(lambda: True if what in said else Pending(what))
