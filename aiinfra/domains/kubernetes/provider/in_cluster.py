"""What every resource in a cluster takes from its properties: the client of its cluster, and a waiter."""

from __future__ import annotations

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.provider import settings
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.providers.contract import Call, Properties
from aiinfra.waiting import Waiter


def client_of(clusters: Clusters, properties: Properties) -> KubeClient:
    """Return the client of the cluster in the properties. Raises `StepError` `cluster.another` and `KubeError`."""
    return clusters.verified_client(settings.value(properties, "kubeconfig"), settings.value(properties, "uid"))


def waiter_of(call: Call, properties: Properties) -> Waiter:
    """Return a waiter of `limit_seconds` that reports to the engine and ends when the run is stopped."""
    return Waiter(float(settings.value(properties, "limit_seconds")), stop=call.stop, on_wait=call.say)
