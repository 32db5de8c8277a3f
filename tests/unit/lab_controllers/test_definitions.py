"""The definitions of the GPU Operator's kinds, in what they once took and a real cluster does not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import driver_definition, policy_definition

SPEC: Any = policy_definition.SPEC["properties"]
DRIVER: Any = driver_definition.SPEC["properties"]


def test_the_validator_cannot_be_turned_off() -> None:
    assert "enabled" not in SPEC["validator"]["properties"]
    assert "enabled" in SPEC["dcgm"]["properties"]


@pytest.mark.parametrize(
    ("quantity", "taken"), [("1Gi", True), ("500m", True), ("1e3", True), ("1 Gi", False), ("1gb", False)]
)
def test_a_quantity_is_one_number_with_its_unit(quantity: str, taken: bool) -> None:
    for spec in (SPEC["driver"]["properties"], DRIVER):
        pattern = spec["resources"]["properties"]["limits"]["additionalProperties"]["pattern"]
        assert bool(re.search(pattern, quantity)) is taken


def test_ids_of_users_and_seconds_of_tolerations_may_be_large() -> None:
    common = SPEC["daemonsets"]["properties"]
    assert common["podSecurityContext"]["properties"]["runAsUser"]["format"] == "int64"
    assert common["tolerations"]["items"]["properties"]["tolerationSeconds"]["format"] == "int64"


def test_what_is_done_with_a_label_of_metrics_is_one_of_the_known_actions() -> None:
    action = SPEC["dcgmExporter"]["properties"]["serviceMonitor"]["properties"]["relabelings"]["items"]["properties"][
        "action"
    ]
    assert {"keep", "Keep", "hashmod", "HashMod"} < set(action["enum"])
    assert "remove" not in action["enum"]
    assert action["default"] == "replace"
