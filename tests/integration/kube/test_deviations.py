"""Objects of others compared with what they should be, and put back, on a real API server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.deviations import deviations, restore
from aiinfra.waiting import Pending, Waiter
from tests.integration.kube.engine import Site

pytestmark = pytest.mark.lab
CONFIG: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "default"}}
SECRET: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kept", "namespace": "default"}}


KEPT = ObjectRef("apps/v1", "Deployment", "kept", "default")


def deployment(label: str, **container: Any) -> Object:
    pod = {"containers": [{"name": "one", "image": "one:1", "resources": {"limits": {"cpu": "0.5"}}, **container}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "kept", "namespace": "default"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": label}},
            "template": {"metadata": {"labels": {"app": label}}, "spec": pod},
        },
    }


@pytest.fixture(autouse=True)
def no_kept(east: Site) -> Iterator[None]:
    yield
    for api, kind in (("v1", "ConfigMap"), ("v1", "Secret"), ("apps/v1", "Deployment")):
        ref = ObjectRef(api, kind, "kept", "default")
        if east.client.get(ref):
            east.client.patch(ref, {"metadata": {"finalizers": None}})
            east.client.delete(ref)


def told(site: Site, *wanted: Object) -> list[str]:
    return [str(one) for one in deviations(site.client, wanted)]


def restored(site: Site, *wanted: Object) -> list[str]:
    waiter = Waiter(20, stop=threading.Event(), on_wait=lambda what, seconds: None)
    return [str(ref) for ref in restore(site.client, wanted, waiter)]


def test_what_another_client_created_so_does_not_deviate(east: Site) -> None:
    env = {"env": [{"name": "A", "value": "1"}]}
    east.client.create(deployment("a", **env), field_manager="helm")
    assert told(east, deployment("a", **env)) == []
    assert restored(east, deployment("a", **env)) == []


def test_an_edit_is_told_and_only_what_is_not_named_stays(east: Site) -> None:
    wanted = CONFIG | {"data": {"a": "1", "b": "long\nlong"}}
    east.client.create(wanted, field_manager="helm")
    east.client.patch(ObjectRef.of(wanted), {"data": {"a": "2", "b": "short", "more": "x"}}, field_manager="kubectl")
    assert told(east, wanted) == [
        "ConfigMap default/kept: data.a is 2, not 1",
        "ConfigMap default/kept: data.b differs",
    ]
    assert restored(east, wanted) == ["ConfigMap default/kept"]
    assert (east.client.get(ObjectRef.of(wanted)) or {})["data"] == {"a": "1", "b": "long\nlong", "more": "x"}


def test_values_that_may_be_secret_are_not_shown(east: Site) -> None:
    east.client.create(SECRET | {"data": {"a": "b3RoZXI="}})
    east.client.create(deployment("a", env=[{"name": "A", "value": "other"}]))
    wanted = [SECRET | {"data": {"a": "Y2FuYXJ5"}}, deployment("a", env=[{"name": "A", "value": "canary"}])]
    assert told(east, *wanted) == [
        "Secret default/kept: data.a differs",
        "Deployment default/kept: spec.template.spec.containers[0].env[0].value differs",
    ]


def test_what_a_controller_writes_meanwhile_is_no_deviation(east: Site) -> None:
    for _ in range(20):
        east.client.create(deployment("a"))
        assert told(east, deployment("a")) == []
        east.client.delete(KEPT)
        Waiter(20, every=0.05).until(lambda: Pending("it goes") if east.client.get(KEPT) else True)


def test_what_is_going_is_seen_gone_before_it_is_made_again(east: Site) -> None:
    east.client.create({**CONFIG, "metadata": {**CONFIG["metadata"], "finalizers": ["example.com/held"]}})
    before = east.client.get(ObjectRef.of(CONFIG)) or {}
    east.client.delete(ObjectRef.of(CONFIG))
    assert told(east, CONFIG) == ["ConfigMap default/kept is going away"]
    lift = threading.Timer(
        1, lambda: east.client.patch(ObjectRef.of(CONFIG), {"metadata": {"finalizers": None}}) and None
    )
    lift.start()
    assert restored(east, CONFIG) == ["ConfigMap default/kept"]
    lift.join()
    after = east.client.get(ObjectRef.of(CONFIG)) or {}
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_what_cannot_be_changed_is_said(east: Site) -> None:
    east.client.create(deployment("other"))
    (said,) = told(east, deployment("a"))
    assert said.startswith("Deployment default/kept cannot become what its chart says: ")
    assert "field is immutable" in said


def test_a_kind_that_is_no_longer_served_is_gone(east: Site) -> None:
    policy = {"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "cluster-policy"}}
    assert told(east, policy) == ["ClusterPolicy cluster-policy is gone"]
