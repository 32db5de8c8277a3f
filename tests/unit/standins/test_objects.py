"""How the stand-in compares, names and previews objects. No cluster is asked."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from aiinfra.domains.kubernetes.lab.standins.awaits import failed, unfinished
from aiinfra.domains.kubernetes.lab.standins.kubernetes import RELEASE, spec
from aiinfra.domains.kubernetes.lab.standins.trees import changed_paths, matching_fields, with_secrets_of
from aiinfra.engine.wire import UNKNOWN, Secret, Tree
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call, ResourceHandler

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def handler(type: str = CONFIG_MAP) -> ResourceHandler:
    provider = spec()
    found = provider.resources.get(type, provider.fallback)
    assert found is not None
    return found


def a_call(type: str = CONFIG_MAP, name: str = "settings", *, preview: bool = False) -> Call:
    urn = f"urn:pulumi:app::site::{type}::{name}"
    return Call(urn, {}, threading.Event(), lambda what, seconds: None, preview=preview)


def a_map(**changes: Any) -> dict[str, Tree]:
    metadata: dict[str, Tree] = {"name": "settings", "namespace": "app"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}, **changes}


@pytest.mark.parametrize(
    ("news", "paths", "replaced", "first"),
    [
        (a_map(), [], [], False),
        (a_map(data={"a": "2"}), ["data.a"], ["data.a"], True),
        (a_map(metadata={"name": "other", "namespace": "app"}), ["metadata.name"], ["metadata.name"], False),
        (a_map(metadata={"name": "settings", "namespace": "b"}), ["metadata.namespace"], ["metadata.namespace"], False),
        (
            a_map(metadata={"name": "settings", "namespace": "app", "labels": {"a": "b"}}),
            ["metadata.labels"],
            [],
            False,
        ),
        (a_map(data={"a": UNKNOWN}), ["data.a"], ["data.a"], True),
        (a_map(data={"a": Secret("1")}), [], [], False),
    ],
)
def test_what_a_change_means(news: dict[str, Tree], paths: list[str], replaced: list[str], first: bool) -> None:
    diff = handler().diff(a_call(), "app/settings", {}, a_map(), news)

    assert (list(diff.changed), list(diff.replace), diff.delete_before_replace) == (paths, replaced, first)


def test_a_name_that_is_left_out_is_made_of_the_resources_name_and_stays() -> None:
    inputs: dict[str, Tree] = {"metadata": {"namespace": "app"}}
    first, _ = handler().check(a_call(), inputs)
    again, _ = handler().check(a_call(), inputs)
    other, _ = handler().check(a_call(name="others"), inputs)

    assert first == again
    metadata = first["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["name"].startswith("settings-")
    assert metadata["annotations"] == {"pulumi.com/autonamed": "true"}
    assert other != first


def test_an_object_of_another_kind_than_its_type_is_refused() -> None:
    _, failures = handler().check(a_call(), a_map(kind="Secret"))

    assert [(failure.property, failure.reason) for failure in failures] == [
        ("kind", f"Secret does not match the type {CONFIG_MAP}")
    ]


def test_a_preview_invents_nothing() -> None:
    made = handler().create(a_call(preview=True), a_map(data={"a": UNKNOWN, "b": Secret("x")}))

    assert made.id == ""
    assert made.outputs["data"] == {"a": UNKNOWN, "b": Secret("x")}
    assert made.outputs["status"] is UNKNOWN
    metadata = made.outputs["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["uid"] is UNKNOWN


def test_without_a_kubeconfig_nothing_is_done() -> None:
    with pytest.raises(StepError, match="settings: the provider has no kubeconfig"):
        handler().create(a_call(), a_map())


def test_a_release_is_refused_before_anything_is_made() -> None:
    inputs: dict[str, Tree] = {"chart": "gpu-operator", "repositoryOpts": {}, "values": {"x": UNKNOWN}}
    _, failures = handler(RELEASE).check(a_call(RELEASE, "gpu"), inputs)

    assert [failure.property for failure in failures] == ["chart"]


def test_a_release_gets_the_defaults_of_the_real_plugin() -> None:
    checked, _ = handler(RELEASE).check(a_call(RELEASE, "gpu"), {"chart": "x"})

    assert checked["namespace"] == "default"
    assert checked["timeout"] == 300
    assert str(checked["name"]).startswith("gpu-")


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1}}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": {"b": 1}}, {"a": {}}, ["a.b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"a": Secret(1)}, {"a": Secret(2)}, ["a"]),
        ({"a": 1}, {"a": UNKNOWN}, ["a"]),
    ],
)
def test_paths_that_differ(old: Tree, new: Tree, paths: list[str]) -> None:
    assert list(changed_paths(old, new)) == paths


def test_what_went_in_as_a_secret_comes_out_as_one() -> None:
    assert with_secrets_of({"a": {"b": "x"}, "c": ["y"]}, {"a": {"b": Secret("x")}, "c": [Secret("y")]}) == {
        "a": {"b": Secret("x")},
        "c": [Secret("y")],
    }


def test_of_the_world_only_what_was_asked_for_is_read_back() -> None:
    live = {"data": {"a": "1", "server": "added"}, "extra": 1, "list": [1, 2, 3]}

    assert matching_fields(live, {"data": {"a": "0"}, "list": [1]}) == {"data": {"a": "1"}, "list": [1, 2, 3]}


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"generation": 2},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 2, **status},
    }


@pytest.mark.parametrize(
    ("obj", "lacks"),
    [
        (deployment(updatedReplicas=2, availableReplicas=2), ""),
        (deployment(updatedReplicas=2, availableReplicas=1), "1 of 2 replicas available"),
        (deployment(updatedReplicas=1, availableReplicas=2), "1 of 2 replicas available"),
        (deployment(observedGeneration=1), "its controller has not seen it yet"),
        ({"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Terminating"}}, "phase is Terminating"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, ""),
        (
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "status": {}},
            "it is not established",
        ),
    ],
)
def test_what_an_object_still_lacks(obj: dict[str, Any], lacks: str) -> None:
    assert unfinished(obj) == lacks


def test_a_failed_job_will_never_be_done() -> None:
    condition = {"type": "Failed", "status": "True", "message": "back-off limit reached"}

    assert failed({"kind": "Job", "status": {"conditions": [condition]}}) == "back-off limit reached"
