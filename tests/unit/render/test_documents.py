"""What stands in a rendered file for what nobody knows yet, or nobody may see."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.engine.wire import UNKNOWN, Secret, Tree
from aiinfra.render.document import Document
from aiinfra.render.documents import documents, redact, unknown_reason
from aiinfra.render.files import file_names, text
from aiinfra.render.monitor import RegisteredResource, in_dependency_order

CANARY = "canary-5f0e7d1c9a"


def a_config_map(name: str = "settings", **changes: Any) -> RegisteredResource:
    properties: dict[str, Tree] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "app"},
        "data": {"mode": "fast"},
    }
    urn = f"urn:pulumi:app::site::kubernetes:core/v1:ConfigMap::{name}"
    given = {"dependencies": frozenset(), "sources": {}, "properties": properties, **changes}
    return RegisteredResource(type="kubernetes:core/v1:ConfigMap", name=name, urn=urn, **given)


@pytest.mark.parametrize(
    ("tree", "shown"),
    [
        ("plain", "plain"),
        (UNKNOWN, "<known after cluster>"),
        (Secret(CANARY), "<secret>"),
        (Secret({"deep": [CANARY]}), "<secret>"),
        (Secret(UNKNOWN), "<secret known after cluster>"),
        ({"a": [UNKNOWN, 1], "b": Secret(CANARY), "c": None}, {"a": ["<known after cluster>", 1], "b": "<secret>"}),
    ],
)
def test_what_a_reader_sees(tree: Tree, shown: Any) -> None:
    assert redact(tree, "known after cluster") == shown


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([], "known after app"),
        (["urn:aiinfra:stack:cluster"], "known after cluster"),
        (["urn:aiinfra:stack:west", "urn:aiinfra:stack:east"], "known after east, west"),
        (["urn:aiinfra:secret:env:TOKEN"], "env:TOKEN"),
        (["urn:pulumi:app::site::aiinfra:kubernetes:Ready::ready"], "known after app"),
        (["urn:aiinfra:secret:env:TOKEN", "urn:aiinfra:stack:cluster"], "known after cluster"),
    ],
)
def test_why_a_value_is_not_known(sources: list[str], why: str) -> None:
    assert unknown_reason("app", a_config_map(sources={"data": frozenset(sources)}), "data") == why


def test_a_secret_source_is_named_and_never_read() -> None:
    resource = a_config_map(
        properties={"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"token": Secret(UNKNOWN)}},
        sources={"data": frozenset(["urn:aiinfra:secret:env:TOKEN"])},
    )
    (document,) = documents("app", [resource])

    assert document.content["data"] == {"token": "<secret env:TOKEN>"}


def test_an_object_without_a_name_says_who_names_it() -> None:
    resource = a_config_map(properties={"kind": "ConfigMap", "metadata": {}, "data": {}})
    (document,) = documents("app", [resource])

    assert text(document, "environment site, stack app").startswith(
        "# Rendered by aiinfra: environment site, stack app.\n# Named by the provider: settings and digits.\n"
    )


def test_a_bundle_is_as_many_documents_as_it_has_objects_each_with_its_marks() -> None:
    objects: list[Tree] = [{"kind": "ConfigMap", "metadata": {"name": name}} for name in ("one", "two")]
    bundle = RegisteredResource(
        "aiinfra:kubernetes:Bundle",
        "all",
        "urn:pulumi:app::site::aiinfra:kubernetes:Bundle::all",
        {"objects": objects, "labels": {"team": "gpu"}, "kubeconfig": Secret(CANARY)},
        frozenset(),
        {},
    )
    made = list(documents("app", [bundle]))

    assert [document.name for document in made] == ["one", "two"]
    assert [document.content["metadata"]["labels"] for document in made] == [{"team": "gpu"}] * 2
    assert CANARY not in str(made)


def test_a_release_says_what_its_chart_adds_only_when_that_is_known() -> None:
    def notes(version: str) -> list[str]:
        properties: dict[str, Tree] = {
            "chart": "gpu-operator",
            "version": version,
            "repositoryOpts": {"repo": "https://helm.ngc.nvidia.com/nvidia"},
            "values": {"password": Secret(CANARY)},
        }
        release = RegisteredResource("kubernetes:helm.sh/v3:Release", "gpu", "urn", properties, frozenset(), {})
        (document,) = documents("app", [release])
        assert document.content["values"] == {"password": "<secret>"}
        return list(document.notes)

    assert "The chart adds:" in notes("v26.7.0")
    assert notes("v25.3.0") == ["A Helm release. `render --charts` also writes what its chart makes."]


def test_resources_come_after_what_they_depend_on_and_otherwise_by_name() -> None:
    first, second, third = (a_config_map(name) for name in ("a", "b", "c"))
    late = a_config_map("a", dependencies=frozenset([third.urn]))

    assert [r.name for r in in_dependency_order([third, second, first])] == ["a", "b", "c"]
    assert [r.name for r in in_dependency_order([late, second, third])] == ["b", "c", "a"]


def test_files_are_numbered_and_their_names_are_safe() -> None:
    made = [Document("Namespace", "gpu", {}), Document("ClusterRole", "system:gpu/reader", {})]

    assert file_names(made) == ["01-namespace-gpu.yaml", "02-clusterrole-system-gpu-reader.yaml"]
