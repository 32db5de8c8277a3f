"""Resources that prove something by running it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from aiinfra.domains.kubernetes.resources.objects import InCluster, Reachable
from aiinfra.stack import StackContext


class GpuProof(InCluster):
    """The ladder: nodes labelled, operator ready, GPUs allocatable, a CUDA pod run with the expected answer."""

    gpus: pulumi.Output[int]
    nodes: pulumi.Output[int]
    simulated: pulumi.Output[bool]
    """True when the evidence itself says that the run was simulated."""
    proved_at: pulumi.Output[str]
    """ISO 8601, UTC."""
    evidence: pulumi.Output[Sequence[str]]
    """One sentence for each rung."""

    def __init__(
        self,
        context: StackContext,
        name: str,
        *,
        cluster: Reachable,
        namespace: pulumi.Input[str],
        policy: pulumi.Input[str],
        resource: pulumi.Input[str],
        expected_nodes: pulumi.Input[int],
        expected_gpus: pulumi.Input[int],
        limit_seconds: pulumi.Input[float] = 900,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`namespace` is where the CUDA pod runs; another `context.proof` proves again."""
        props = {
            "namespace": namespace,
            "policy": policy,
            "resource": resource,
            "expected_nodes": expected_nodes,
            "expected_gpus": expected_gpus,
            "limit_seconds": limit_seconds,
            "prove": context.proof,
            **dict.fromkeys(("gpus", "nodes", "simulated", "proved_at", "evidence")),
        }
        super().__init__("aiinfra:proof:GpuProof", context, name, cluster=cluster, props=props, opts=opts)
