"""One client of a cluster for each kubeconfig that a provider was configured with."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.engine.wire import reveal
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call


class Clients:
    """Keeps clients open while the provider lives, as stacks of one cluster share their connections."""

    def __init__(self) -> None:
        self._clients: dict[str, KubeClient] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._clients)

    def of(self, call: Call) -> KubeClient:
        """Return the client for the provider of this call. Raises `StepError` when it was given no kubeconfig."""
        text = str(reveal(call.config.get("kubeconfig", "")) or "")
        if not text:
            raise StepError(
                f"{call.name}: the provider has no kubeconfig", where=call.urn, hint="give it one explicitly"
            )
        with self._lock:
            if text not in self._clients:
                self._clients[text] = KubeClient.from_kubeconfig(text)
            return self._clients[text]


def _close(clients: Mapping[str, KubeClient]) -> None:
    for client in clients.values():
        client.close()


@contextmanager
def refusals(about: str) -> Iterator[None]:
    """Turn what the API server refuses into the failure of a step, `StepError`."""
    try:
        yield
    except KubeError as error:
        record = error.record
        raise StepError(
            f"{about}: {record.message}", code=record.code, hint=record.hint, transient=record.transient
        ) from error
