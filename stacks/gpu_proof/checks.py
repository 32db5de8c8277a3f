"""What must hold of the inputs of `gpu_proof`."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from aiinfra.domains.kubernetes.needs import ClusterNeed
from aiinfra.facts.mig import a_model_with
from aiinfra.stack import Ref, StackName, Surroundings, Violation
from stacks.gpu_operator.effective import effective_values
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_operator.values import resources
from stacks.gpu_proof.spec import GpuProofInputs

MIG_RESOURCE = "nvidia.com/mig-"
MOST_GPUS = 16
"""GPUs of the largest servers."""
SMALLEST, SLICES = "1g.5gb", 7
"""What most sites cut an A100 into, and into how many."""


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
        units = -(-inputs.expect.gpus // (nodes * shares))
        profile = _profile(inputs, around, units)
        model, each = a_model_with(profile) or ("", 1)
        yield ClusterNeed(cluster, model, gpu_nodes=nodes, gpus_per_node=-(-units // each), slices=profile)


def _profile(inputs: GpuProofInputs, around: Surroundings, units: int) -> str:
    """The MIG profile that a node must have to offer so many units: that which is named, or an A100 in sevenths.

    Under strategy `single`, more units than a server has GPUs are slices.
    """
    named = inputs.expect.resource.removeprefix(MIG_RESOURCE)
    if named != inputs.expect.resource:
        return named.removesuffix(".shared")
    operator = _operator(inputs, around)
    strategy = effective_values(operator)["mig"].get("strategy") if operator else ""
    return SMALLEST if strategy == "single" and units > MOST_GPUS and units % SLICES == 0 else ""


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
