"""What must hold of the inputs of `gpu_proof`."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.stack import Broken, ClusterNeed, Ref
from stacks.gpu_proof.spec import GpuProofInputs


class Checks:
    def rules(self, inputs: GpuProofInputs) -> Iterator[Broken]:
        expect = inputs.expect
        if expect.gpus < expect.nodes:
            yield Broken(
                ("expect", "gpus"),
                f"{expect.gpus} GPUs cannot be on {expect.nodes} nodes",
                "gpus counts all nodes together",
            )

    def lab_needs(self, inputs: GpuProofInputs) -> Iterator[ClusterNeed]:
        cluster = inputs.cluster.stack if isinstance(inputs.cluster, Ref) else None
        expect = inputs.expect
        yield ClusterNeed(cluster, gpu_nodes=expect.nodes, gpus_per_node=-(-expect.gpus // expect.nodes))
