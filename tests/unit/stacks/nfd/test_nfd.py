from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiinfra.stack import Ref, StackName
from stacks.nfd.labels import gpu_label
from stacks.nfd.spec import NfdInputs
from stacks.nfd.values import chart_values
from tests.unit.stacks.judged import CLUSTER, problems

A_CLUSTER = Ref(StackName("cluster"))


@pytest.mark.parametrize(
    ("nfd", "says"),
    [
        ({}, []),
        ({"label_fields": ["class", "vendor"], "limit": "20m"}, []),
        (
            {"label_fields": ["vendor", "device"]},
            [
                "stacks.nfd.label_fields: labels made of vendor, device are not those the GPU Operator looks for "
                "(use [vendor] or [class, vendor])"
            ],
        ),
        (
            {"label_fields": ["class"]},
            [
                "stacks.nfd.label_fields: labels made of class are not those the GPU Operator looks for "
                "(use [vendor] or [class, vendor])"
            ],
        ),
        (
            {"device_classes": ["0200"]},
            ["stacks.nfd.device_classes: no class of GPUs is among them (add 0300 and 0302)"],
        ),
        ({"version": "v0.19.0"}, ["stacks.nfd.version: v0.19.0 has a leading v (write 0.19.0)"]),
    ],
)
def test_rules(tmp_path: Path, nfd: dict[str, Any], says: list[str]) -> None:
    assert problems(tmp_path, {**CLUSTER, "nfd": {"kind": "nfd", "cluster": "${cluster}", **nfd}}) == says


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        (["vendor"], "feature.node.kubernetes.io/pci-10de.present"),
        (["class", "vendor"], "feature.node.kubernetes.io/pci-0302_10de.present"),
        (["vendor", "class"], "feature.node.kubernetes.io/pci-0302_10de.present"),
    ],
)
def test_the_label_of_a_gpu_node_follows_the_label_fields(fields: list[str], label: str) -> None:
    assert gpu_label(fields) == label


def test_values_of_the_chart() -> None:
    inputs = NfdInputs.model_validate(
        {
            "cluster": A_CLUSTER,
            "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "gpu", "effect": "NoExecute"}],
            "device_classes": ["0302"],
            "label_fields": ["class", "vendor"],
        }
    )

    assert chart_values(inputs) == {
        "worker": {
            "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "gpu", "effect": "NoExecute"}],
            "config": {
                "sources": {"pci": {"deviceClassWhitelist": ["0302"], "deviceLabelFields": ["class", "vendor"]}}
            },
        }
    }
