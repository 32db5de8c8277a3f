"""What a sweep takes for an environment's own: objects with its mark, and what Helm put outside its namespaces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.sweep import inventory, namespaces_of, sweep
from aiinfra.stack import MARK_ID
from tests.integration.kube.engine import Site

pytestmark = pytest.mark.lab
ID = "5eeb01d1a2b3"
RBAC = "rbac.authorization.k8s.io/v1"


@pytest.fixture(autouse=True)
def clean(east: Site) -> Iterator[None]:
    yield
    for kind, version in (("ClusterRole", RBAC), ("Namespace", "v1")):
        for obj in east.client.list(version, kind, labels="test=sweep"):
            east.client.delete(ObjectRef(version, kind, obj["metadata"]["name"]))
    east.client.patch(ObjectRef("v1", "Namespace", "kube-system"), {"metadata": {"labels": {MARK_ID: None}}})


def namespace(site: Site, name: str, *, marked: bool = True) -> str:
    """Made; its uid."""
    labels = {"test": "sweep", **({MARK_ID: ID} if marked else {})}
    made = site.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    return str(made["metadata"]["uid"])


def role_of_release(site: Site, name: str, release_namespace: str) -> ObjectRef:
    """A cluster-wide object as Helm leaves it: it bears no mark of ours."""
    annotations = {"meta.helm.sh/release-name": "some", "meta.helm.sh/release-namespace": release_namespace}
    metadata = {"name": name, "labels": {"test": "sweep"}, "annotations": annotations}
    role: Object = {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": metadata, "rules": []}
    return ObjectRef.of(site.client.create(role))


def stands(site: Site, ref: ObjectRef) -> bool:
    return site.client.get(ref) is not None


def test_what_a_release_put_outside_of_a_marked_namespace_goes_with_it(east: Site) -> None:
    uid = namespace(east, "swept-a")
    role = role_of_release(east, "sweep-a", "swept-a")
    assert namespaces_of(east.client, ID) == {"swept-a": uid}
    assert [str(ref) for ref in inventory(east.client, ID)] == ["ClusterRole sweep-a", "Namespace swept-a"]
    assert not sweep(east.client, ID).left
    assert not stands(east, role)


def test_it_goes_also_when_the_namespace_went_first_and_was_noted(east: Site) -> None:
    role = role_of_release(east, "sweep-b", "swept-b")
    assert sweep(east.client, ID).removed == []
    assert stands(east, role)
    assert sweep(east.client, ID, namespaces={"swept-b": "6f0e4f0a-gone"}).removed == [role]
    assert not stands(east, role)


def test_a_namespace_that_somebody_made_since_is_not_the_one_that_was_noted(east: Site) -> None:
    namespace(east, "swept-c", marked=False)
    role = role_of_release(east, "sweep-c", "swept-c")
    assert sweep(east.client, ID, namespaces={"swept-c": "6f0e4f0a-gone"}).removed == []
    assert stands(east, role)


def test_releases_in_namespaces_that_every_cluster_has_are_never_taken_for_ours(east: Site) -> None:
    system = ObjectRef("v1", "Namespace", "kube-system")
    found = east.client.get(system)
    assert found is not None
    role = role_of_release(east, "sweep-d", "kube-system")
    east.client.patch(system, {"metadata": {"labels": {MARK_ID: ID}}})
    noted = {"kube-system": found["metadata"]["uid"]}
    assert role not in inventory(east.client, ID, namespaces=noted)
    assert stands(east, role)
