"""What the stack gives to whoever runs pods on its nodes: resources, tolerations, image access."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.stack import Ref, StackName
from stacks.gpu_operator import values
from stacks.gpu_operator.spec import GpuOperatorInputs


def inputs(**more: Any) -> GpuOperatorInputs:
    return GpuOperatorInputs.model_validate({"cluster": Ref(StackName("cluster")), "nfd": "bundled", **more})


@pytest.mark.parametrize(
    ("given", "resources"),
    [
        ({}, ["nvidia.com/gpu"]),
        ({"mig": {"strategy": "mixed"}}, ["nvidia.com/gpu", "nvidia.com/mig-*"]),
        ({"values": {"mig": {"strategy": "mixed"}}}, ["nvidia.com/gpu", "nvidia.com/mig-*"]),
        ({"sharing": {"time_slicing": {"replicas": 4}}}, ["nvidia.com/gpu"]),
        ({"sharing": {"time_slicing": {"replicas": 4, "rename": True}}}, ["nvidia.com/gpu.shared"]),
    ],
)
def test_resources_follow_slicing_and_sharing(given: dict[str, Any], resources: list[str]) -> None:
    assert values.resources(inputs(**given)) == resources


def test_tolerations_are_those_of_the_operands_as_the_chart_gets_them() -> None:
    assert values.tolerations(inputs()) == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    theirs = [{"key": "dedicated", "operator": "Exists"}]
    assert values.tolerations(inputs(values={"daemonsets": {"tolerations": theirs}})) == theirs


def test_the_image_and_its_secrets_are_those_of_the_validator() -> None:
    assert values.validator_image(inputs()) == "nvcr.io/nvidia/gpu-operator:v26.7.0"
    assert values.pull_secrets(inputs()) == []
    mirrored = inputs(values={"validator": {"repository": "mirror.example/nvidia", "imagePullSecrets": ["mirror"]}})
    assert values.validator_image(mirrored) == "mirror.example/nvidia/gpu-operator:v26.7.0"
    assert values.pull_secrets(mirrored) == ["mirror"]
