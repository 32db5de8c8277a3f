"""Resources that prove something by running it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi


class GpuProof(pulumi.CustomResource):
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
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        uid: pulumi.Input[str],
        namespace: pulumi.Input[str],
        policy: pulumi.Input[str],
        resource: pulumi.Input[str],
        expected_nodes: pulumi.Input[int],
        expected_gpus: pulumi.Input[int],
        limit_seconds: pulumi.Input[float] = 900,
        labels: Mapping[str, str] | None = None,
        prove: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`namespace` is where the CUDA pod runs; `prove` is a token: another one proves again."""
        props = {
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "uid": uid,
            "namespace": namespace,
            "policy": policy,
            "resource": resource,
            "expected_nodes": expected_nodes,
            "expected_gpus": expected_gpus,
            "limit_seconds": limit_seconds,
            "labels": labels or {},
            "prove": prove,
            **dict.fromkeys(("gpus", "nodes", "simulated", "proved_at", "evidence")),
        }
        super().__init__("aiinfra:proof:GpuProof", name, props, opts)
