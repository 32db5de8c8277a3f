"""What may be written under `lab:` of nodes with GPUs."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from aiinfra.domains.kubernetes.lab.block import NodeGroup


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"gpu": "A100-SXM-40GB", "gpus": 8}, "no GPU model is named 'A100-SXM-40GB'; did you mean 'A100-SXM4-40GB'?"),
        ({"gpu": "L4"}, "a node with GPUs needs both gpu and gpus; missing is gpus: how many in each node"),
        ({"gpus": 4}, "a node with GPUs needs both gpu and gpus; missing is gpu: which model"),
        ({"os": "Ubuntu 24"}, "String should match pattern"),
    ],
)
def test_what_no_node_can_be_is_refused(written: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        NodeGroup.model_validate(written)
    assert says in str(refusal.value)


def test_a_gpu_may_be_named_as_its_label_says() -> None:
    assert NodeGroup(gpu="NVIDIA-L40S", gpus=4).gpu == "L40S"
