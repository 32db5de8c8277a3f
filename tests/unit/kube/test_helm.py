"""Reading what Helm stores, and telling what differs."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from aiinfra.domains.kubernetes.objects.deviations import differences
from aiinfra.domains.kubernetes.objects.helm import manifest_of, parse_manifest

TEXT = """\
---
# Source: chart/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: config
---
# Source: chart/templates/empty.yaml
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: worker}
spec:
  template: {spec: {volumes: [{name: a, configMap: {name: config, defaultMode: 0644}}]}}
---
apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: Service, metadata: {name: one}}]
"""


def stored(document: dict[str, Any], *, packed: bool = True) -> str:
    raw = json.dumps(document).encode()
    text = base64.b64encode(gzip.compress(raw) if packed else raw)
    return base64.b64encode(text).decode()


@pytest.mark.parametrize("packed", [True, False])
def test_a_manifest_is_read_as_helm_stores_it(packed: bool) -> None:
    assert manifest_of(stored({"name": "x", "manifest": TEXT}, packed=packed)) == TEXT
    assert manifest_of(stored({"name": "x"}, packed=packed)) == ""


def test_objects_are_read_as_helm_reads_them() -> None:
    config, worker, service = parse_manifest(TEXT)
    assert config == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}}
    assert worker["spec"]["template"]["spec"]["volumes"][0]["configMap"]["defaultMode"] == 0o644
    assert service["metadata"] == {"name": "one"}


def test_the_smallest_parts_that_differ_are_told() -> None:
    live = {"metadata": {"generation": 2}, "spec": {"replicas": 0, "list": [{"a": 1}, {"a": 2}], "args": ["x"]}}
    wanted = {"metadata": {"generation": 1}, "spec": {"replicas": 1, "list": [{"a": 1}, {"a": 3}], "args": [], "b": 1}}
    assert list(differences("", live, wanted)) == [
        ("spec.args", ["x"], []),
        ("spec.b", None, 1),
        ("spec.list[1].a", 2, 3),
        ("spec.replicas", 0, 1),
    ]
