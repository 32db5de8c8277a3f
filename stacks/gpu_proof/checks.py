"""What must hold of the inputs of `gpu_proof`."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from aiinfra.domains.kubernetes.needs import ClusterNeed
from aiinfra.stack import Ref, StackName, Surroundings, Violation
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_operator.values import resources
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

    def rules_around(self, name: StackName, inputs: GpuProofInputs, around: Surroundings) -> Iterator[Violation]:
        wanted, operator = inputs.expect.resource, _operator(inputs, around)
        given = resources(operator) if operator else []
        if wanted and given and not any(fnmatchcase(wanted, each) for each in given):
            yield Violation(
                ("expect", "resource"),
                f"the operator of this environment offers {' or '.join(given)}, not {wanted}",
                "drop it, or change how the operator shares or names GPUs",
            )

    def lab_needs(self, inputs: GpuProofInputs, around: Surroundings) -> Iterator[ClusterNeed]:
        cluster = inputs.cluster.stack if isinstance(inputs.cluster, Ref) else None
        nodes, shares = inputs.expect.nodes, _shares(inputs, around)
        yield ClusterNeed(cluster, gpu_nodes=nodes, gpus_per_node=-(-inputs.expect.gpus // (nodes * shares)))


def _shares(inputs: GpuProofInputs, around: Surroundings) -> int:
    """How many units the operator makes of one GPU."""
    operator = _operator(inputs, around)
    sharing = operator.sharing.time_slicing if operator else None
    return sharing.replicas if sharing else 1


def _operator(inputs: GpuProofInputs, around: Surroundings) -> GpuOperatorInputs | None:
    """The inputs of the stack that it proves."""
    name = inputs.operator.stack if isinstance(inputs.operator, Ref) else None
    _, theirs = around.stacks.get(name, ("", None)) if name else ("", None)
    return theirs if isinstance(theirs, GpuOperatorInputs) else None
