"""Resources that prove something by running it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from aiinfra.domains.kubernetes.resources.objects import InCluster, Reachable
from aiinfra.stack import StackContext


class GpuProof(InCluster):
    """The ladder: nodes labelled and fit, operator ready, GPUs allocatable, a CUDA pod on each that answers rightly."""

    gpus: pulumi.Output[int]
    nodes: pulumi.Output[int]
    simulated: pulumi.Output[bool]
    """True when the evidence itself says that the run was simulated."""
    proved_at: pulumi.Output[str]
    """ISO 8601, UTC."""
    evidence: pulumi.Output[Sequence[str]]
    """One sentence for each rung, and for each node that ran the pod."""
    proved_on: pulumi.Output[Mapping[str, Any]]
    """`nodes`: by name, the facts that the proof stands on (uid, kernel, driver, slices, devices); by what they count.
    """

    def __init__(
        self,
        context: StackContext,
        name: str,
        *,
        cluster: Reachable,
        namespace: pulumi.Input[str],
        policy: pulumi.Input[str],
        resources: pulumi.Input[Sequence[str]],
        tolerations: pulumi.Input[Sequence[Mapping[str, Any]]],
        image: pulumi.Input[str],
        pull_secrets: pulumi.Input[Sequence[str]],
        expected_nodes: pulumi.Input[int],
        expected_gpus: pulumi.Input[int],
        sample: pulumi.Input[int] = 0,
        limit_seconds: pulumi.Input[float] = 900,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`namespace` is where the CUDA pods run; another `context.proof` proves again.

        `resources`: any of them counts, and a name may end in `*`. `image` is used when the cluster has no validator
        of the GPU Operator. `sample`: how many nodes run the pod; 0 means all.
        """
        props = {
            "namespace": namespace,
            "policy": policy,
            "resources": resources,
            "tolerations": tolerations,
            "image": image,
            "pull_secrets": pull_secrets,
            "sample": sample,
            "expected_nodes": expected_nodes,
            "expected_gpus": expected_gpus,
            "limit_seconds": limit_seconds,
            "prove": context.proof,
            **dict.fromkeys(("gpus", "nodes", "simulated", "proved_at", "evidence", "proved_on")),
        }
        super().__init__("aiinfra:proof:GpuProof", context, name, cluster=cluster, props=props, opts=opts)
