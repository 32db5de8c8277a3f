"""What must hold of the inputs of `gpu_proof`."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.needs import ClusterNeed
from aiinfra.stack import Ref, Surroundings, Violation
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_proof.spec import GpuProofInputs


class Checks:
    def rules(self, inputs: GpuProofInputs) -> Iterator[Violation]:
        expect = inputs.expect
        if expect.gpus < expect.nodes:
            yield Violation(
                ("expect", "gpus"),
                f"{expect.gpus} GPUs cannot be on {expect.nodes} nodes",
                "gpus counts all nodes together",
            )

    def lab_needs(self, inputs: GpuProofInputs, around: Surroundings) -> Iterator[ClusterNeed]:
        cluster = inputs.cluster.stack if isinstance(inputs.cluster, Ref) else None
        nodes, shares = inputs.expect.nodes, _shares(inputs, around)
        yield ClusterNeed(cluster, gpu_nodes=nodes, gpus_per_node=-(-inputs.expect.gpus // (nodes * shares)))


def _shares(inputs: GpuProofInputs, around: Surroundings) -> int:
    """How many units the operator makes of one GPU."""
    operator = inputs.operator.stack if isinstance(inputs.operator, Ref) else None
    _, theirs = around.stacks.get(operator, ("", None)) if operator else ("", None)
    sharing = theirs.sharing.time_slicing if isinstance(theirs, GpuOperatorInputs) else None
    return sharing.replicas if sharing else 1
