"""Order, ownership, drift and what holds up a deletion: values in, values out."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.blockers import deletion_blocker, refs_text
from aiinfra.domains.kubernetes.objects.drift import with_live_values
from aiinfra.domains.kubernetes.objects.ownership import OwnedByOther, owned_by_others, with_marks
from aiinfra.domains.kubernetes.objects.quantities import count
from aiinfra.domains.kubernetes.objects.ranks import in_apply_order, in_delete_order
from aiinfra.engine.wire import Secret, Tree

MARKS = {"aiinfra.dev/environment": "dc1", "aiinfra.dev/environment-id": "3f9a1c07", "aiinfra.dev/stack": "nfd"}
SCRAMBLED = [
    "ValidatingWebhookConfiguration",
    "ClusterPolicy",
    "Deployment",
    "Service",
    "Secret",
    "RoleBinding",
    "Role",
    "CustomResourceDefinition",
    "Namespace",
]


def an_object(kind: str, name: str = "x", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}


def test_objects_are_applied_so_that_each_finds_what_it_needs() -> None:
    order = [group[0]["kind"] for group in in_apply_order(an_object(kind) for kind in SCRAMBLED)]
    assert order == [
        "Namespace",
        "CustomResourceDefinition",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "Deployment",
        "ClusterPolicy",
        "ValidatingWebhookConfiguration",
    ]


def test_deletion_goes_the_other_way() -> None:
    groups = in_delete_order(ObjectRef("v1", kind, "x") for kind in SCRAMBLED)
    assert [group[0].kind for group in groups] == SCRAMBLED


def test_marks_go_on_every_object_and_its_own_labels_win() -> None:
    obj = with_marks(an_object("ConfigMap", labels={"app": "a", "aiinfra.dev/stack": "mine"}), MARKS)
    assert obj["metadata"]["labels"] == {**MARKS, "app": "a", "aiinfra.dev/stack": "mine"}


@pytest.mark.parametrize(
    ("labels", "owner"),
    [
        ({}, "none of our environments"),
        ({**MARKS, "aiinfra.dev/environment-id": "00000000"}, "stack nfd of environment dc1 (00000000)"),
        ({**MARKS, "aiinfra.dev/stack": "other"}, "stack other of environment dc1 (3f9a1c07)"),
    ],
)
def test_an_object_of_others_is_told_apart(labels: dict[str, str], owner: str) -> None:
    wanted = [with_marks(an_object("ConfigMap"), MARKS)]
    ref = ObjectRef("v1", "ConfigMap", "x")
    assert owned_by_others(wanted, {ref: an_object("ConfigMap", labels=labels)}) == [OwnedByOther(ref, owner)]


def test_an_object_of_ours_is_taken_up_again() -> None:
    wanted = [with_marks(an_object("ConfigMap"), MARKS)]
    assert owned_by_others(wanted, {ObjectRef("v1", "ConfigMap", "x"): an_object("ConfigMap", labels=MARKS)}) == []


def test_without_a_mark_an_object_that_exists_is_not_ours() -> None:
    existing = {ObjectRef("v1", "ConfigMap", "x"): an_object("ConfigMap")}
    (other,) = owned_by_others([an_object("ConfigMap")], existing)
    assert (str(other.ref), other.owner) == ("ConfigMap x", "none of our environments")


def test_drift_shows_the_world_where_it_differs_and_keeps_secrets_secret() -> None:
    written: Tree = {"data": {"a": Secret("one"), "b": "two", "c": "three"}, "spec": {"replicas": 2}}
    intended = {"data": {"a": "one", "b": "two", "c": "three"}, "spec": {"replicas": 2, "defaulted": 1}}
    live = {"data": {"a": "changed", "b": "two"}, "spec": {"replicas": 2, "defaulted": 1}}
    shown = with_live_values(written, intended, live)
    assert shown == {"data": {"a": Secret("changed"), "b": "two"}, "spec": {"replicas": 2}}


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (an_object("ConfigMap"), "it was made again after its deletion, so something still manages it"),
        (
            an_object("ClusterPolicy", deletionTimestamp="now", finalizers=["nvidia.com/policy"]),
            "waits for its finalizer nvidia.com/policy, whose controller does not act",
        ),
        (an_object("Pod", deletionTimestamp="now"), "its deletion is under way"),
        (
            {
                **an_object("Namespace", deletionTimestamp="now"),
                "spec": {"finalizers": ["kubernetes"]},
                "status": {
                    "conditions": [
                        {
                            "type": "NamespaceContentRemaining",
                            "status": "True",
                            "message": "Some resources are remaining: widgets.x has 1 resource instances",
                        }
                    ]
                },
            },
            "Some resources are remaining: widgets.x has 1 resource instances",
        ),
        (
            {
                **an_object("CustomResourceDefinition", deletionTimestamp="now", finalizers=["cleanup.k8s.io"]),
                "status": {
                    "conditions": [
                        {"type": "Established", "status": "True", "message": "the initial names have been accepted"},
                        {"type": "Terminating", "status": "True", "message": "could not list instances: no storage"},
                    ]
                },
            },
            "could not list instances: no storage",
        ),
    ],
)
def test_what_holds_up_a_deletion_is_named(obj: dict[str, Any], why: str) -> None:
    assert deletion_blocker(obj) == why


def test_many_objects_are_named_by_a_few() -> None:
    refs = [ObjectRef("v1", "Pod", name, "ns") for name in "abcde"]
    assert refs_text(refs) == "Pod ns/a, Pod ns/b, Pod ns/c and 2 more"


@pytest.mark.parametrize(("quantity", "units"), [("8", 8), (None, 0), ("1k", 1000), (4, 4)])
def test_quantities_of_devices(quantity: Any, units: int) -> None:
    assert count(quantity) == units
