from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.needs import ClusterNeed
from aiinfra.stack import Ref, StackName, Surroundings
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_proof.checks import Checks
from stacks.gpu_proof.spec import GpuProofInputs
from tests.unit.stacks.judged import CLUSTER, problems

STACKS: dict[str, Any] = {
    **CLUSTER,
    "gpu": {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "bundled"},
    "proof": {"kind": "gpu_proof", "cluster": "${cluster}", "operator": "${gpu}", "expect": {"nodes": 2, "gpus": 16}},
}


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ({"nodes": 2, "gpus": 16}, []),
        (
            {"nodes": 3, "gpus": 2},
            [
                "stacks.proof.expect.gpus: 2 GPUs cannot be on 3 nodes (gpus counts all nodes together)",
            ],
        ),
    ],
)
def test_rules(tmp_path: Path, expect: dict[str, int], says: list[str]) -> None:
    proof = {**STACKS["proof"], "expect": expect}
    assert problems(tmp_path, {**STACKS, "proof": proof}) == says


def test_a_resource_that_the_operator_does_not_offer_is_refused(tmp_path: Path) -> None:
    shared = {**STACKS["gpu"], "sharing": {"time_slicing": {"replicas": 4, "rename": True}}}
    proof = {**STACKS["proof"], "expect": {"nodes": 2, "gpus": 64, "resource": "nvidia.com/gpu"}}
    assert problems(tmp_path, {**STACKS, "gpu": shared, "proof": proof}) == [
        "stacks.proof.expect.resource: the operator of this environment offers nvidia.com/gpu.shared, not "
        "nvidia.com/gpu (drop it, or change how the operator shares or names GPUs)"
    ]
    mixed = {**STACKS["gpu"], "mig": {"strategy": "mixed"}}
    sliced = {**proof, "expect": {"nodes": 2, "gpus": 112, "resource": "nvidia.com/mig-1g.5gb"}}
    assert problems(tmp_path, {**STACKS, "gpu": mixed, "proof": sliced}) == []


@pytest.mark.parametrize("field", ["nodes", "gpus"])
def test_nothing_expected_is_no_proof(tmp_path: Path, field: str) -> None:
    proof = {**STACKS["proof"], "expect": {"nodes": 1, "gpus": 1, field: 0}}
    said = problems(tmp_path, {**STACKS, "proof": proof})

    assert said[0].startswith(f"stacks.proof.expect.{field}: ")


@pytest.mark.parametrize(
    ("sharing", "gpus"), [({}, 6), ({"time_slicing": {"replicas": 2}}, 3), ({"time_slicing": {"replicas": 4}}, 2)]
)
def test_a_rehearsal_brings_the_gpus_that_are_expected(sharing: dict[str, Any], gpus: int) -> None:
    cluster, name = Ref(StackName("cluster")), StackName("gpu")
    operator = GpuOperatorInputs.model_validate({"cluster": cluster, "nfd": "bundled", "sharing": sharing})
    around = Surroundings("here", "lab", {name: ("gpu_operator", operator)})
    inputs = GpuProofInputs.model_validate(
        {"cluster": cluster, "operator": Ref(name), "expect": {"nodes": 2, "gpus": 12}}
    )

    assert list(Checks().lab_needs(inputs, around)) == [
        ClusterNeed(StackName("cluster"), gpu_nodes=2, gpus_per_node=gpus)
    ]
