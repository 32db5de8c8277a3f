"""`aiinfra:kubernetes:Cluster`: who an existing cluster is. Makes nothing, deletes nothing, is never replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.provider.clusters import Clusters, other_cluster
from aiinfra.domains.kubernetes.provider.settings import check, value
from aiinfra.engine.wire import UNKNOWN
from aiinfra.providers.compare import changed_paths
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, Properties
from aiinfra.providers.marshal import known


@dataclass(frozen=True, slots=True)
class Cluster:
    clusters: Clusters

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        return check(inputs, {"kubeconfig": str})

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        """Asks the cluster: a run of the engine says `unchanged` only of a cluster that answers and is the same."""
        if known(news.get("kubeconfig")):
            self._still(olds, news)
        return Diff(changed_paths(old_inputs.get("kubeconfig"), news.get("kubeconfig")) and ["kubeconfig"])

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, "uid": UNKNOWN, "version": UNKNOWN, "server": UNKNOWN})
        return _made(self.clusters.client(value(inputs, "kubeconfig")), inputs)

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        return self._still(state, inputs)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        return Made(id, {**olds, **news}) if call.preview else self._still(olds, news)

    def delete(self, call: Call, id: str, state: Properties) -> None:
        return

    def _still(self, olds: Properties, inputs: Properties) -> Made:
        """The cluster behind the (new) kubeconfig, which must be the recorded one."""
        client = self.clusters.client(value(inputs, "kubeconfig"))
        made = _made(client, inputs)
        if made.id != value(olds, "uid"):
            raise other_cluster(client.server, expected=value(olds, "uid"), found=made.id)
        return made


def _made(client: KubeClient, inputs: Properties) -> Made:
    uid = client.cluster_uid()
    return Made(uid, {**inputs, "uid": uid, "version": client.version(), "server": client.server})
