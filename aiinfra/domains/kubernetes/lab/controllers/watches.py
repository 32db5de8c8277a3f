"""The watches of one cluster: one thread a kind, feeding a `Store`.

Custom kinds are watched while their CustomResourceDefinition is established.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, NotFound
from aiinfra.domains.kubernetes.lab.controllers.store import Store
from aiinfra.domains.kubernetes.lab.controllers.view import BUILT_IN, View

RETRY = 0.5
"""Seconds before a watch that broke is tried again."""
log = logging.getLogger(__name__)


class Watches:
    """Runs until `stop` is set."""

    def __init__(self, client: KubeClient, store: Store, watched: Mapping[str, str], stop: threading.Event) -> None:
        """`watched`: the kinds to watch, with their API versions."""
        self._client, self._store, self._watched, self._stop = client, store, watched, stop
        self._custom: dict[str, threading.Thread] = {}

    def start(self) -> None:
        for kind in self._watched.keys() & BUILT_IN.keys():
            self._run(kind, self._watched[kind])

    def follow(self, view: View) -> None:
        """Start the watches of custom kinds that are served by now."""
        for kind in filter(view.serves, self._watched.keys() - BUILT_IN.keys()):
            thread = self._custom.get(kind)
            if thread is None or not thread.is_alive():
                self._custom[kind] = self._run(kind, self._watched[kind])

    def _run(self, kind: str, api_version: str) -> threading.Thread:
        thread = threading.Thread(target=self._watch, args=(kind, api_version), name=f"watch-{kind}", daemon=True)
        thread.start()
        return thread

    def _watch(self, kind: str, api_version: str) -> None:
        while not self._stop.is_set():
            try:
                self._feed(kind, api_version)
            except NotFound:
                self._store.clear(kind)
                return
            except KubeError as error:
                if self._stop.is_set():
                    return
                log.warning("watch of %s: %s", kind, error)
                self._stop.wait(RETRY)

    def _feed(self, kind: str, api_version: str) -> None:
        """Feed the store from one list and watch.

        Objects stay as they were last seen until the server has listed all of them again.
        """
        self._store.replace(kind, self._client.list(api_version, kind))
        for event, obj in self._client.watch(api_version, kind, stop=self._stop):
            if event == "RESET":
                self._store.replace(kind, self._client.list(api_version, kind))
            elif event == "DELETED":
                self._store.drop(obj)
            else:
                self._store.put(obj)
