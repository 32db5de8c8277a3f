"""A chart that a lab has for real: Helm's engine renders it, and what it makes is what Helm would install."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.lab.standins.charts.real import RealChart
from aiinfra.errors import StepError
from tests.integration.charts.small_chart import FILES

pytestmark = [pytest.mark.engine]
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: small, labels: null}
rules: []
"""


@pytest.fixture
def chart(tmp_path: Path, toolchain: Mapping[str, Path]) -> RealChart:
    for name, text in {**FILES, "templates/role.yaml": ROLE}.items():
        path = tmp_path / "chart" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return RealChart(tmp_path / "chart", toolchain["aiinfra-helm"])


def a_release(**values: Any) -> dict[str, Any]:
    return {"name": "small", "namespace": "place", "values": values}


def test_objects_stand_in_the_namespace_of_the_release_and_say_whose_they_are(chart: RealChart) -> None:
    made = chart.manifest(a_release())

    marks = {"meta.helm.sh/release-name": "small", "meta.helm.sh/release-namespace": "place"}
    assert [(obj["kind"], obj["metadata"].get("namespace")) for obj in made.objects] == [
        ("Role", "place"),
        ("Deployment", "place"),
        ("Thing", None),
    ]
    assert made.objects[0]["metadata"] == {
        "name": "small",
        "namespace": "place",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": marks,
    }
    assert [crd["metadata"]["name"] for crd in made.crds] == ["things.small.example"]
    assert [(obj["kind"], obj["metadata"]["name"]) for obj in made.after_delete] == [("ConfigMap", "after")]
    assert made.before_delete == ()


def test_values_that_the_chart_has_no_use_for_are_named(chart: RealChart) -> None:
    assert chart.unknown_values(a_release(replicas=2, imagee={"tag": "v2"})) == ["imagee"]


def test_what_the_chart_refuses_is_told_in_its_words(chart: RealChart) -> None:
    with pytest.raises(StepError, match="debug wants one replica"):
        chart.manifest(a_release(debug=True, replicas=2))
