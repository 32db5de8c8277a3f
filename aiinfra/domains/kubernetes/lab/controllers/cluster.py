"""The controllers of one cluster at work: watch, ask each for its effects, carry them out, wait for the next change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.lab.controllers import faults, garbage, gpu_operator, nfd, upgrades, validation
from aiinfra.domains.kubernetes.lab.controllers.device_plugin import DevicePlugins
from aiinfra.domains.kubernetes.lab.controllers.effects import Effect, perform
from aiinfra.domains.kubernetes.lab.controllers.faults import Faults
from aiinfra.domains.kubernetes.lab.controllers.kubelet import Kubelets
from aiinfra.domains.kubernetes.lab.controllers.store import Store
from aiinfra.domains.kubernetes.lab.controllers.view import View
from aiinfra.domains.kubernetes.lab.controllers.watches import Watches

RETRY = 1.0
"""Seconds after which a pass in which the API server refused something is repeated."""
SETTLE = 0.02
"""Seconds in which changes that come together are gathered into one pass; no less than a pass takes to think."""
WRITERS = 4
"""Effects of one pass that are carried out at once; they do not depend on each other."""
log = logging.getLogger(__name__)


class ClusterControllers:
    """Runs from `start` until `stop`. `is_set` tells which faults are set now."""

    def __init__(self, name: str, kubeconfig: str, is_set: Callable[[], Faults]) -> None:
        self.name = name
        self._client = KubeClient.from_kubeconfig(kubeconfig)
        self._is_set = is_set
        self._store = Store()
        self._stop = threading.Event()
        self._settle = SETTLE
        self._watches = Watches(self._client, self._store, self._stop)
        self._writers = ThreadPoolExecutor(WRITERS, f"write-{name}")
        self._kubelets = Kubelets()
        self._plugins = DevicePlugins()
        self._thread = threading.Thread(target=self._run, name=f"controllers-{name}", daemon=True)

    def start(self) -> None:
        self._watches.start()
        self._thread.start()

    def wake(self) -> None:
        """Something outside the cluster changed: a fault was set or lifted."""
        self._store.changed.set()

    def stop(self) -> None:
        self._stop.set()
        self._store.changed.set()
        self._thread.join()
        self._writers.shutdown()
        self._client.close()

    def _run(self) -> None:
        retry = False
        while not self._stop.is_set():
            self._await(retry=retry)
            if not self._stop.is_set():
                started = time.monotonic()
                view = self._store.view()
                self._watches.follow(view)
                effects = list(self._effects(view)) if view.complete else []
                self._settle = max(SETTLE, time.monotonic() - started)
                retry = not self._carry_out(effects)

    def _await(self, *, retry: bool) -> None:
        due = self._kubelets.due
        timeout = RETRY if retry else None
        if due is not None:
            timeout = min(max(0.0, due - time.monotonic()), timeout or RETRY)
        if self._store.changed.wait(timeout):
            self._stop.wait(self._settle)
        self._store.changed.clear()

    def _effects(self, view: View) -> Iterator[Effect]:
        now, broken = datetime.now(UTC), self._is_set().located(view)
        yield from faults.reconcile(view, broken)
        yield from garbage.reconcile(view)
        yield from nfd.reconcile(view)
        yield from gpu_operator.reconcile(view, now)
        yield from upgrades.reconcile(view)
        yield from self._plugins.reconcile(view)
        yield from validation.reconcile(view)
        yield from self._kubelets.reconcile(view, broken, now, time.monotonic())

    def _carry_out(self, effects: list[Effect]) -> bool:
        """Whether the API server took all of them."""
        return all(list(self._writers.map(self._do, effects)))

    def _do(self, effect: Effect) -> bool:
        try:
            after = perform(effect, self._client)
        except KubeError as error:
            log.warning("%s: %s", self.name, error)
            return False
        if after is not None and after["kind"] != "Event":
            self._store.put(after)
        return True
