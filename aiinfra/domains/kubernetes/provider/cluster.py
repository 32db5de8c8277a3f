"""`aiinfra:kubernetes:Cluster`: the identity of an existing cluster. Creates and deletes nothing, is never replaced."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.provider.clusters import Clusters, other_cluster_error
from aiinfra.domains.kubernetes.provider.settings import check, value
from aiinfra.engine.wire import UNKNOWN, holds_unknown
from aiinfra.providers.compare import changed_paths
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, Properties


@dataclass(frozen=True, slots=True)
class Cluster:
    clusters: Clusters

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        return check(inputs, {"kubeconfig": str})

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        """Return the changes. Asks the cluster, which is unchanged only when it answers and is the same."""
        if not holds_unknown(news.get("kubeconfig")):
            self._verified(olds, news)
        return Diff(changed_paths(old_inputs.get("kubeconfig"), news.get("kubeconfig")) and ["kubeconfig"])

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, "uid": UNKNOWN, "version": UNKNOWN, "server": UNKNOWN})
        return _made(self.clusters.client(value(inputs, "kubeconfig")), inputs)

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        return self._verified(state, inputs)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        return Made(id, {**olds, **news}) if call.preview else self._verified(olds, news)

    def delete(self, call: Call, id: str, state: Properties) -> None:
        return

    def _verified(self, olds: Properties, inputs: Properties) -> Made:
        """Return the cluster of the (new) kubeconfig. Raises `StepError` when it is not the recorded one."""
        client = self.clusters.client(value(inputs, "kubeconfig"))
        made = _made(client, inputs)
        if made.id != value(olds, "uid"):
            raise other_cluster_error(client.server, expected=value(olds, "uid"), found=made.id)
        return made


def _made(client: KubeClient, inputs: Properties) -> Made:
    uid = client.cluster_uid()
    return Made(uid, {**inputs, "uid": uid, "version": client.version(), "server": client.server})
