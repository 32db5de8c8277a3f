"""Custom resources against the schemas of their definitions, as a strict dry run would judge them."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.definitions import deviations

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["mode"],
    "properties": {
        "mode": {"type": "string", "enum": ["auto", "manual"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "image": {"type": "string", "pattern": "^[a-z]+$"},
        "port": {"x-kubernetes-int-or-string": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "env": {"type": "array", "items": {"type": "object", "properties": {"value": {"type": "string"}}}},
        "raw": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "note": {"type": "string", "nullable": True},
    },
}
CRD = {
    "spec": {
        "group": "small.example",
        "names": {"kind": "Thing"},
        "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}}}],
    }
}


def said(spec: dict[str, Any], kind: str = "Thing") -> list[str]:
    thing = {"apiVersion": "small.example/v1", "kind": kind, "metadata": {"name": "one"}, "spec": spec}
    return list(deviations([thing], [CRD]))


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"mode": "auto", "count": 3, "image": "abc", "port": "http", "labels": {"a": "b"}}, []),
        ({"mode": "auto", "raw": {"any": {"thing": 1}}, "note": None, "port": 80}, []),
        ({"mode": "auto", "count": None, "labels": {"a": None}, "env": [{"value": None}]}, []),
        ({"mode": None}, ["spec.mode is required"]),
        ({"mode": "auto", "env": [None]}, ["spec.env[0] is null, where a map is wanted"]),
        ({"mode": "never"}, ["spec.mode is never, and may be: auto, manual"]),
        ({}, ["spec.mode is required"]),
        ({"mode": "auto", "count": 0}, ["spec.count is 0, less than 1"]),
        ({"mode": "auto", "count": 10}, ["spec.count is 10, more than 9"]),
        ({"mode": "auto", "count": True}, ["spec.count is true, where a whole number is wanted"]),
        ({"mode": "auto", "image": "A1"}, ["spec.image is A1, which does not match ^[a-z]+$"]),
        ({"mode": "auto", "port": True}, ["spec.port wants a number or a text"]),
        ({"mode": "auto", "labels": {"a": True}}, ["spec.labels.a is true, where a text is wanted"]),
        ({"mode": "auto", "env": [{"value": "a"}, {"value": 1}]}, ["spec.env[1].value is 1, where a text is wanted"]),
        ({"mode": "auto", "mood": "x"}, ["spec.mood is a field that the definition does not have"]),
        ({"mode": "auto", "note": 1}, ["spec.note is 1, where a text is wanted"]),
    ],
)
def test_each_field_that_a_definition_does_not_accept(spec: dict[str, Any], says: list[str]) -> None:
    assert said(spec) == [f"Thing one: {sentence}" for sentence in says]


def test_an_object_without_a_definition_is_not_judged() -> None:
    assert said({"anything": 1}, kind="Other") == []
