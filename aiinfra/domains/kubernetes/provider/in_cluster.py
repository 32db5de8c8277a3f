"""What every resource in a cluster needs of its properties: the client of its cluster, and how long it may wait."""

from __future__ import annotations

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.provider import settings
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.providers.contract import Call, Properties
from aiinfra.waiting import Waiter


def client_of(clusters: Clusters, properties: Properties) -> KubeClient:
    """The client of the cluster that `kubeconfig` and `uid` name. Raises `StepError` `cluster.another`, `KubeError`."""
    return clusters.identified(settings.value(properties, "kubeconfig"), settings.value(properties, "uid"))


def waiter_of(call: Call, properties: Properties) -> Waiter:
    """Waits for `limit_seconds`, tells the engine what it waits for, and ends when the run is stopped."""
    return Waiter(float(settings.value(properties, "limit_seconds")), stop=call.stop, on_wait=call.say)
