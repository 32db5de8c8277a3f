"""The clusters that requests talk to: one client for each kubeconfig, and the check that it is the right cluster."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from aiinfra.errors import StepError

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.client.client import KubeClient

KEPT = 64
"""Clients that are kept at most; the least recently used one is dropped."""


class Clusters:
    """Clients by kubeconfig. Thread-safe; the client module is imported with the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, KubeClient] = OrderedDict()

    def client(self, kubeconfig: str) -> KubeClient:
        from aiinfra.domains.kubernetes.client.client import KubeClient

        with self._lock:
            if kubeconfig not in self._clients:
                self._clients[kubeconfig] = KubeClient.from_kubeconfig(kubeconfig)
                if len(self._clients) > KEPT:
                    self._clients.popitem(last=False)
            self._clients.move_to_end(kubeconfig)
            return self._clients[kubeconfig]

    def verified_client(self, kubeconfig: str, uid: str) -> KubeClient:
        """Return the client, having checked that the kubeconfig leads to the recorded cluster.

        Raises `StepError` (`cluster.another`) naming both uids before anything is touched.
        """
        client = self.client(kubeconfig)
        live = client.cluster_uid()
        if live != uid:
            raise other_cluster_error(client.server, expected=uid, found=live)
        return client

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


ANOTHER_HINT = "give the kubeconfig of the recorded cluster; the new one takes an environment of another name"


def other_cluster_error(server: str, *, expected: str, found: str, hint: str = ANOTHER_HINT) -> StepError:
    """Return the error for a server whose cluster has another uid than the recorded one."""
    return StepError(
        f"{server} is another cluster: its uid is {found}, recorded is {expected}",
        code="cluster.another",
        hint=hint,
    )
