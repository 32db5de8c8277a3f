"""What the controllers believe of a cluster while watches and writes race."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.lab.controllers.store import Store
from aiinfra.domains.kubernetes.lab.controllers.view import BUILT_IN, Object
from tests.unit.lab_controllers.world import a_policy, an_object

WATCHED = {**BUILT_IN, "ClusterPolicy": "nvidia.com/v1"}


def a_pod(version: int, *, uid: str = "u", **fields: Any) -> Object:
    pod = an_object("v1", "Pod", "p", "ns", **fields)
    pod["metadata"] |= {"resourceVersion": str(version), "uid": uid}
    return pod


def seen(store: Store) -> list[str]:
    return [pod["metadata"]["resourceVersion"] for pod in store.view().pods]


def test_what_a_write_answered_is_not_undone_by_an_older_picture() -> None:
    store = Store(WATCHED)
    store.put(a_pod(7))
    store.put(a_pod(5))
    assert seen(store) == ["7"]


def test_a_late_picture_does_not_bring_back_what_was_deleted() -> None:
    store = Store(WATCHED)
    store.put(a_pod(5))
    store.drop(a_pod(9))
    store.put(a_pod(8))
    assert seen(store) == []


def test_another_object_of_the_same_name_is_not_dropped_with_the_first() -> None:
    store = Store(WATCHED)
    store.put(a_pod(5))
    store.put(a_pod(9, uid="other"))
    store.drop(a_pod(8))
    assert seen(store) == ["9"]


def test_a_new_list_drops_what_is_gone_and_keeps_what_is_newer() -> None:
    store = Store(WATCHED)
    store.put(a_pod(9))
    store.put(an_object("v1", "Pod", "gone", "ns"))
    store.replace("Pod", [a_pod(8)])
    assert seen(store) == ["9"]


def test_until_every_kind_is_listed_nothing_may_be_concluded_from_absence() -> None:
    store = Store(WATCHED)
    for kind in BUILT_IN:
        assert not store.view().complete
        store.replace(kind, [])
    assert store.view().complete
    serving = {"names": {"kind": "ClusterPolicy"}}
    established = {"conditions": [{"type": "Established", "status": "True"}]}
    definition = an_object("v1", "CustomResourceDefinition", "c", spec=serving, status=established)
    store.replace("CustomResourceDefinition", [definition])
    assert not store.view().complete
    store.replace("ClusterPolicy", [])
    assert store.view().complete


def test_the_deletion_of_a_policy_is_remembered_for_its_operands() -> None:
    store = Store(WATCHED)
    policy = a_policy()
    policy["metadata"]["resourceVersion"] = "5"
    store.put(policy)
    assert store.view().gone == frozenset()
    store.drop(policy)
    assert store.view().gone == {"uid-of-cluster-policy"}
