"""The provider `aiinfra`: its resource types and what answers for each."""

from __future__ import annotations

from aiinfra import __version__
from aiinfra.providers.bundle import Bundle
from aiinfra.providers.cluster import Cluster
from aiinfra.providers.clusters import Clusters
from aiinfra.providers.contract import ProviderSpec
from aiinfra.providers.crds import CustomResourceDefinitions
from aiinfra.providers.gpu_template import GpuTemplate
from aiinfra.providers.proof import GpuProof
from aiinfra.providers.ready import Ready
from aiinfra.providers.test_thing import TestThing
from aiinfra.providers.vcenters import VCenters

PATIENCE = 300.0
"""Seconds for which a broken root must be seen unchanged before a wait for it is given up."""


def spec(patience: float = PATIENCE) -> ProviderSpec:
    clusters, vcenters = Clusters(), VCenters()

    def close() -> None:
        clusters.close()
        vcenters.close()

    return ProviderSpec(
        "aiinfra",
        __version__,
        {
            "aiinfra:kubernetes:Bundle": Bundle(clusters),
            "aiinfra:kubernetes:Cluster": Cluster(clusters),
            "aiinfra:kubernetes:CustomResourceDefinitions": CustomResourceDefinitions(clusters),
            "aiinfra:kubernetes:Ready": Ready(clusters, patience),
            "aiinfra:proof:GpuProof": GpuProof(clusters, patience),
            "aiinfra:test:Thing": TestThing(),
            "aiinfra:vsphere:GpuTemplate": GpuTemplate(vcenters),
        },
        close=close,
    )
