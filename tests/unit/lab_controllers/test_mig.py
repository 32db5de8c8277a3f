"""What the label of a node makes of its GPUs in a lab."""

from __future__ import annotations

import json

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import mig
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.device_plugin import resources
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.sharing import Sharing
from aiinfra.domains.kubernetes.lab.controllers.hardware import of_node
from aiinfra.domains.kubernetes.lab.nodes import HARDWARE


@pytest.mark.parametrize(
    ("gpu", "config", "strategy", "offered"),
    [
        ("A100-SXM4-40GB", "all-1g.5gb", "single", {"nvidia.com/gpu": 56}),
        ("A100-SXM4-40GB", "all-1g.5gb", "mixed", {"nvidia.com/mig-1g.5gb": 56}),
        ("A100-SXM4-40GB", "all-3g.20gb", "mixed", {"nvidia.com/mig-3g.20gb": 16}),
        ("A100-SXM4-40GB", "all-disabled", "mixed", {"nvidia.com/gpu": 8}),
        ("L40S", "all-1g.5gb", "single", {"nvidia.com/gpu": 8}),
    ],
)
def test_slices_follow_the_label(gpu: str, config: str, strategy: str, offered: dict[str, int]) -> None:
    hardware = json.dumps({"gpu": gpu, "gpus": 8})
    node = {"metadata": {"name": "gpu-0", "annotations": {HARDWARE: hardware}, "labels": {mig.CONFIG: config}}}
    machine = of_node(node)
    assert resources(machine, Sharing(), strategy, mig.slices(node, machine)) == offered
