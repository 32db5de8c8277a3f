"""The proof as one resource: our provider climbs the ladder."""

from __future__ import annotations

from aiinfra.domains.kubernetes.resources.proof import GpuProof
from aiinfra.stack import StackContext
from stacks.gpu_proof.spec import GpuProofInputs, GpuProved


def program(context: StackContext, inputs: GpuProofInputs) -> GpuProved:
    operator, expect = inputs.operator, inputs.expect
    proof = GpuProof(
        context,
        "proof",
        cluster=inputs.cluster,
        namespace=operator.namespace,
        policy=operator.policy,
        resources=[expect.resource] if expect.resource else operator.resources,
        tolerations=operator.tolerations,
        image=operator.image,
        pull_secrets=operator.pull_secrets,
        expected_nodes=expect.nodes,
        expected_gpus=expect.gpus,
        sample=0 if inputs.nodes == "all" else inputs.nodes,
        limit_seconds=inputs.limit,
    )
    return GpuProved.of(
        gpus=proof.gpus,
        nodes=proof.nodes,
        simulated=proof.simulated,
        proved_at=proof.proved_at,
        evidence=proof.evidence,
        proved_on=proof.proved_on,
    )
