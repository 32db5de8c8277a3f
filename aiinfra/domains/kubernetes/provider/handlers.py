"""Factories for the handlers of our resources in clusters. Each imports its module with its first resource."""

from __future__ import annotations

from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.providers.contract import ResourceHandler


def bundle(clusters: Clusters, patience: float) -> ResourceHandler:
    from aiinfra.domains.kubernetes.provider.bundle import Bundle

    return Bundle(clusters)


def cluster(clusters: Clusters, patience: float) -> ResourceHandler:
    from aiinfra.domains.kubernetes.provider.cluster import Cluster

    return Cluster(clusters)


def definitions(clusters: Clusters, patience: float) -> ResourceHandler:
    from aiinfra.domains.kubernetes.provider.crds import CustomResourceDefinitions

    return CustomResourceDefinitions(clusters)


def ready(clusters: Clusters, patience: float) -> ResourceHandler:
    from aiinfra.domains.kubernetes.provider.ready import Ready

    return Ready(clusters, patience)


def gpu_proof(clusters: Clusters, patience: float) -> ResourceHandler:
    from aiinfra.domains.kubernetes.provider.proof import GpuProof

    return GpuProof(clusters, patience)
