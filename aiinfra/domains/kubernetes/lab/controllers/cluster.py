"""The controllers of one cluster at work: watch, ask each for its effects, carry them out, wait for the next change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import reduce
from operator import or_

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.lab.controllers.controller import Controller, Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Effect, perform
from aiinfra.domains.kubernetes.lab.controllers.faults import Faults
from aiinfra.domains.kubernetes.lab.controllers.store import Store
from aiinfra.domains.kubernetes.lab.controllers.view import View, built_in
from aiinfra.domains.kubernetes.lab.controllers.watches import Watches

RETRY = 1.0
"""Seconds after which a pass in which the API server refused something is repeated."""
SETTLE = 0.02
"""Seconds in which changes that come together are gathered into one pass; no less than a pass takes to compute."""
WRITERS = 4
"""Effects of one pass that are carried out at once; they do not depend on each other."""
log = logging.getLogger(__name__)


class ClusterControllers:
    """Runs from `start` until `stop`. `faults` returns the faults that are set now."""

    def __init__(
        self, name: str, kubeconfig: str, controllers: Sequence[Controller], faults: Callable[[], Faults]
    ) -> None:
        self.name = name
        self._controllers = controllers
        self._client = KubeClient.from_kubeconfig(kubeconfig)
        self._faults = faults
        watched = reduce(or_, (controller.watches for controller in controllers), built_in("CustomResourceDefinition"))
        self._store = Store(watched)
        self._stop = threading.Event()
        self._settle = SETTLE
        self._watches = Watches(self._client, self._store, watched, self._stop)
        self._writers = ThreadPoolExecutor(WRITERS, f"write-{name}")
        self._due: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"controllers-{name}", daemon=True)

    def start(self) -> None:
        self._watches.start()
        self._thread.start()

    def wake(self) -> None:
        """Ask the controllers again, as a fault was set or lifted."""
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
                effects = self._ask(view) if view.complete else []
                self._settle = max(SETTLE, time.monotonic() - started)
                retry = not self._carry_out(effects)

    def _await(self, *, retry: bool) -> None:
        timeout = RETRY if retry else None
        if self._due is not None:
            timeout = min(max(0.0, self._due - time.monotonic()), timeout or RETRY)
        if self._store.changed.wait(timeout):
            self._stop.wait(self._settle)
        self._store.changed.clear()

    def _ask(self, view: View) -> list[Effect]:
        """Return what the controllers would do now, and note when they are to be asked again."""
        moment = Moment(datetime.now(UTC), time.monotonic(), self._faults().by_namespace(view))
        effects: list[Effect] = []
        due: list[float] = []
        for controller in self._controllers:
            for effect in controller.reconcile(view, moment):
                if isinstance(effect, Again):
                    due.append(effect.at)
                else:
                    effects.append(effect)
        self._due = min(due, default=None)
        return effects

    def _carry_out(self, effects: list[Effect]) -> bool:
        """Carry the effects out; return whether the API server accepted all of them."""
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
