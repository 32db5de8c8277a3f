"""Kubernetes: clusters that stacks work in, whoever made them."""

from aiinfra.domain import Block, Domain

_PROVIDER = "aiinfra.domains.kubernetes.provider"

DOMAIN = Domain(
    name="kubernetes",
    summary="Kubernetes clusters, by their API servers.",
    block=Block(key="charts", model="aiinfra.domains.kubernetes.charts.block:ChartSources", in_lab={}),
    connections=f"{_PROVIDER}.clusters:Clusters",
    resources={
        "aiinfra:kubernetes:Bundle": f"{_PROVIDER}.handlers:bundle",
        "aiinfra:kubernetes:Cluster": f"{_PROVIDER}.handlers:cluster",
        "aiinfra:kubernetes:CustomResourceDefinitions": f"{_PROVIDER}.handlers:definitions",
        "aiinfra:kubernetes:Ready": f"{_PROVIDER}.handlers:ready",
        "aiinfra:proof:GpuProof": f"{_PROVIDER}.handlers:gpu_proof",
    },
    documents={
        "aiinfra:kubernetes:Bundle": "aiinfra.domains.kubernetes.documents:bundle",
        "aiinfra:proof:GpuProof": "aiinfra.domains.kubernetes.documents:proof",
        "kubernetes:helm.sh/v3:Release": "aiinfra.domains.kubernetes.documents:release",
        "kubernetes:": "aiinfra.domains.kubernetes.documents:object_",
    },
    previews={"kubernetes:": "aiinfra.domains.kubernetes.documents:with_server_side"},
    packages=("aiinfra.domains.kubernetes",),
    error_codes="aiinfra.domains.kubernetes.error_codes:CODES",
    tools="aiinfra.domains.kubernetes.lab.tools:TOOLS",
    world="aiinfra.domains.kubernetes.world:WORLD",
    lab="aiinfra.domains.kubernetes.lab.domain:LAB",
)
