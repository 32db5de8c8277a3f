"""The lists of values that charts know, against the charts themselves, where those can be had.

`AIINFRA_CHARTS` names a folder that `aiinfra charts mirror` made on a machine with a network.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.charts import facts_by_name
from aiinfra.world import World
from tools.chart_values import differences, known_values, read

PASSED_ON = {
    "gpu-operator": [
        "has dcgmExporter.service.type, which the chart has not",
        "has node-feature-discovery.gc.podDisruptionBudget.maxUnavailable, which the chart has not",
        "has node-feature-discovery.master.podDisruptionBudget.maxUnavailable, which the chart has not",
    ],
    "node-feature-discovery": [
        "has gc.podDisruptionBudget.maxUnavailable, which the chart has not",
        "has master.podDisruptionBudget.maxUnavailable, which the chart has not",
    ],
    "cert-manager": [],
}
"""Values without a default in maps that templates pass on whole: the operator and Kubernetes read them."""


@pytest.mark.parametrize("name", sorted(PASSED_ON))
def test_a_list_is_complete(name: str) -> None:
    facts = facts_by_name()[name]
    archive = Path(os.environ.get("AIINFRA_CHARTS", ""), f"{name}-{facts.version}.tgz")
    if not archive.is_file():
        pytest.skip(f"no {archive.name} in AIINFRA_CHARTS")
    assert list(differences(facts.values, known_values(read(archive, World.real())))) == PASSED_ON[name]


def test_what_is_missing_and_what_is_too_much_is_named() -> None:
    ours = {"image": {"tag": "v1"}, "old": 1, "labels": {}}
    theirs = {"image": {"tag": "v2", "digest": ""}, "labels": {"any": 1}}

    assert list(differences(ours, theirs)) == [
        "lacks image.digest",
        "lacks labels.any",
        "has old, which the chart has not",
    ]
