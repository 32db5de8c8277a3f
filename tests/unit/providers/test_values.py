"""Properties on the wire, their comparison, and texts without secrets."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from aiinfra.domains.kubernetes.provider.bundle_objects import (
    BundleState,
    changed_trees,
    mark_failures,
    name_failures,
    trees_by_ref,
)
from aiinfra.domains.kubernetes.provider.settings import check, diff_inputs
from aiinfra.engine.wire import UNKNOWN, Secret, Tree, holds_unknown
from aiinfra.errors import StepError
from aiinfra.providers.compare import changed_paths, same
from aiinfra.providers.connections import KEPT_AFTER_CANCEL, Connections
from aiinfra.providers.contract import Diff
from aiinfra.providers.marshal import struct_of, tree_of
from aiinfra.providers.masking import mask

NESTED: dict[str, Tree] = {
    "secret": Secret({"deep": ["hunter22", UNKNOWN]}),
    "list": [1, 1.5, True, None, {"later": UNKNOWN}],
    "text": "Grüße",
    "empty": {},
}


def test_secrets_unknowns_and_whole_numbers_survive_the_wire() -> None:
    assert tree_of(struct_of(NESTED)) == NESTED
    assert type(tree_of(struct_of({"n": 3}))["n"]) is int


@pytest.mark.parametrize(
    "text", ["1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"], ids=["bool", "object"]
)
def test_every_kind_of_unknown_is_unknown(text: str) -> None:
    assert tree_of(_struct({"x": text}))["x"] is UNKNOWN


def test_output_values_become_what_they_hold() -> None:
    mark = {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    assert tree_of(_struct({"a": {**mark, "value": "x", "secret": True}}))["a"] == Secret("x")
    assert tree_of(_struct({"a": mark}))["a"] is UNKNOWN


def _struct(raw: dict[str, Any]) -> Struct:
    struct = Struct()
    struct.update(raw)
    return struct


def test_what_is_known() -> None:
    assert holds_unknown(NESTED)
    assert not holds_unknown({"a": Secret(["x"])})


def test_changes_are_told_by_path() -> None:
    old: Tree = {"spec": {"driver": {"version": "1"}, "same": [1]}, "objects": [{"a": 1}], "gone": 1}
    new: Tree = {"spec": {"driver": {"version": "2"}, "same": [1]}, "objects": [{"a": UNKNOWN}], "come": 1}
    assert changed_paths(old, new) == ["come", "gone", "objects[0].a", "spec.driver.version"]
    assert same({"a": Secret("x")}, {"a": "x"})


def test_secrets_are_masked_wherever_they_stand_in_a_text() -> None:
    kubeconfig = Secret("users:\n- user:\n    token: abcdef-0123456789\n")
    text = "refused hunter22: token abcdef-0123456789 of 12345 is bad"
    masked = mask(text, {"a": [Secret("hunter22")], "k": kubeconfig, "pin": Secret(12345)})
    assert masked == "refused <secret>: token <secret> of <secret> is bad"


def test_plain_values_are_not_masked() -> None:
    assert mask("namespace gpu-operator", {"namespace": "gpu-operator"}) == "namespace gpu-operator"


def test_a_connection_has_its_own_configuration_and_its_own_end() -> None:
    connections = Connections()
    for peer in ("one", "two"):
        connections.begin(peer)
        connections.configure(peer, {"kubeconfig": peer})
    connections.cancel("one")
    assert connections.get("one").stop.is_set()
    assert connections.get("one").config == {"kubeconfig": "one"}
    assert not connections.get("two").stop.is_set()


def test_an_address_that_is_used_again_starts_anew() -> None:
    connections = Connections()
    connections.configure("one", {"kubeconfig": "old"})
    connections.cancel("one")
    connections.begin("one")
    assert connections.get("one").config == {}
    assert not connections.get("one").stop.is_set()


def test_cancelled_connections_are_forgotten_in_the_end() -> None:
    connections = Connections()
    for number in range(KEPT_AFTER_CANCEL + 1):
        connections.configure(str(number), {"number": number})
        connections.cancel(str(number))
    assert connections.get("0").config == {}
    assert connections.get("1").config == {"number": 1}


def test_the_stop_of_everything_reaches_calls_that_run() -> None:
    connections = Connections()
    stop: threading.Event = connections.get("one").stop
    connections.cancel_all()
    assert stop.is_set()


def test_inputs_of_the_wrong_type_are_named_and_unknown_ones_pass() -> None:
    inputs: dict[str, Tree] = {"kubeconfig": 3, "names": UNKNOWN, "limit_seconds": True}
    _, failures = check(inputs, {"kubeconfig": str, "names": list, "limit_seconds": (int, float), "uid": str})
    assert [(f.property, f.reason) for f in failures] == [
        ("kubeconfig", "must be text"),
        ("limit_seconds", "must be a number"),
        ("uid", "is required"),
    ]


def test_a_kubeconfig_becomes_a_secret() -> None:
    checked, _ = check({"kubeconfig": "text"}, {"kubeconfig": str})
    assert checked["kubeconfig"] == Secret("text")


def test_another_limit_is_no_difference() -> None:
    assert diff_inputs({"uid": "a", "limit_seconds": 600}, {"uid": "a", "limit_seconds": 900}) == Diff([])


def test_nothing_moves_between_clusters() -> None:
    assert diff_inputs({"uid": "a", "x": 1}, {"uid": "a", "x": 2}) == Diff(["x"])
    assert diff_inputs({"uid": "a"}, {"uid": UNKNOWN}).changed == ["uid"]
    with pytest.raises(StepError) as caught:
        diff_inputs({"uid": "aaa"}, {"uid": "bbb"})
    assert caught.value.record.message == (
        "the cluster of this stack is another cluster: its uid is bbb, recorded is aaa"
    )


def a_map(name: str, namespace: str = "ns", **data: Tree) -> dict[str, Tree]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def test_objects_that_cannot_be_told_apart_are_refused() -> None:
    objects: list[Tree] = [a_map("a"), {"kind": "Pod"}, UNKNOWN, a_map("a"), {**a_map("b"), "metadata": UNKNOWN}]
    assert [(f.property, f.reason) for f in name_failures({"objects": objects})] == [
        ("objects[1]", "needs apiVersion, kind and metadata.name"),
        ("objects[3]", "ConfigMap ns/a is in the list twice"),
    ]


ENVIRONMENT_ID = "aiinfra.dev/environment-id"


@pytest.mark.parametrize("labels", [{}, {"app": "mine"}, {ENVIRONMENT_ID: ""}])
def test_a_bundle_without_the_mark_of_an_environment_is_refused(labels: dict[str, Tree]) -> None:
    assert [(f.property, f.reason) for f in mark_failures({"objects": [a_map("a")], "labels": labels})] == [
        ("labels", "must have aiinfra.dev/environment-id, the mark of its environment, from StackContext.labels()")
    ]


def test_an_object_with_the_mark_of_another_environment_is_refused() -> None:
    theirs, ours = a_map("a"), a_map("b")
    theirs["metadata"] = {"name": "a", "labels": {ENVIRONMENT_ID: "5eeb00"}}
    ours["metadata"] = {"name": "b", "labels": {ENVIRONMENT_ID: "3f9a1c07"}}
    given: dict[str, Tree] = {"objects": [ours, theirs, UNKNOWN], "labels": {ENVIRONMENT_ID: "3f9a1c07"}}
    assert [(f.property, f.reason) for f in mark_failures(given)] == [
        ("objects[1]", "has another aiinfra.dev/environment-id among its labels than its bundle")
    ]
    assert list(mark_failures({**given, "labels": UNKNOWN})) == []


def test_only_what_changed_is_applied() -> None:
    olds: dict[str, Tree] = {"objects": [a_map("a", x="1"), a_map("b")], "labels": {"l": "1"}}
    news: dict[str, Tree] = {"objects": [a_map("a", x="2"), a_map("b"), a_map("c")], "labels": {"l": "1"}}
    assert [ref.name for ref in changed_trees(trees_by_ref(olds), olds, news)] == ["a", "c"]
    assert [ref.name for ref in changed_trees(trees_by_ref(olds), olds, {**news, "labels": {"l": "2"}})] == [
        "a",
        "b",
        "c",
    ]


def test_the_state_holds_uids_of_what_is_there() -> None:
    news: dict[str, Tree] = {"objects": [a_map("a"), a_map("b")], "labels": {}}
    there = trees_by_ref(news)
    first = next(iter(there))
    made = BundleState({}, {}).with_(there, {first: "uid-a"}).made("id", news)
    assert made.outputs["uids"] == {"v1 ConfigMap ns/a": "uid-a"}
    assert made.outputs["objects"] == [a_map("a")]
