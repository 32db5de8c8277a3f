"""All clusters of a lab: follows the lab's folder, where clusters and faults come and go."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiinfra.domain_lab import SetFault
from aiinfra.domains.kubernetes.lab.cluster_files import INTERNAL, SPEC
from aiinfra.domains.kubernetes.lab.controllers.cluster import ClusterControllers
from aiinfra.domains.kubernetes.lab.controllers.faults import Faults
from aiinfra.domains.kubernetes.lab.controllers.platforms import KUBERNETES, controllers_of
from aiinfra.lab import faults
from aiinfra.waiting import Pending, Stopped, Waiter

LOOK_EVERY = 0.2
"""Seconds between two looks at the folder."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Described:
    """One cluster as its folder describes it."""

    kubeconfig: str
    """The direct way to its API server, which a partition does not cut."""
    platform: str

    @classmethod
    def read(cls, home: Path) -> Described:
        platform = json.loads((home / SPEC).read_text()).get("platform") or KUBERNETES
        return cls((home / INTERNAL).read_text(), platform)


@dataclass(frozen=True, slots=True)
class Folder:
    """What the lab's folder says at one moment."""

    clusters: Mapping[str, Described]
    faults: Sequence[SetFault]

    @classmethod
    def read(cls, path: Path) -> Folder:
        homes = sorted(file.parent for file in (path / "clusters").glob(f"*/{SPEC}"))
        found = {home.name: Described.read(home) for home in homes if (home / INTERNAL).exists()}
        return cls(found, tuple(faults.read(path)))

    def faults_in(self, cluster: str) -> Faults:
        """Those set everywhere, in this cluster, or at a stack: which cluster has a stack, only the cluster knows."""
        set_here = [f for f in self.faults if f.place in ("", cluster)]
        at_stacks = [f for f in self.faults if f.place and f.place not in self.clusters]
        return Faults(
            frozenset(fault.name for fault in set_here), frozenset((fault.name, fault.place) for fault in at_stacks)
        )


class LabControllers:
    """Runs until `stop` is set."""

    def __init__(self, path: Path, stop: threading.Event) -> None:
        self._path = path
        self._stop = stop
        self._folder = Folder({}, ())
        self._running: dict[str, ClusterControllers] = {}

    def run(self) -> None:
        waiter = Waiter(limit=float("inf"), every=LOOK_EVERY, stop=self._stop)
        try:
            while True:
                self._follow(waiter.until(self._news))
        except Stopped:
            for controllers in self._running.values():
                controllers.stop()

    def _news(self) -> Folder | Pending:
        try:
            folder = Folder.read(self._path)
        except OSError:
            return Pending("the lab's folder")
        return Pending("a change in the lab's folder") if folder == self._folder else folder

    def _follow(self, folder: Folder) -> None:
        before, self._folder = self._folder, folder
        for name in before.clusters:
            if folder.clusters.get(name) != before.clusters[name]:
                self._running.pop(name).stop()
        for name, cluster in folder.clusters.items():
            if name not in self._running:
                log.info("cluster %s", name)
                self._running[name] = ClusterControllers(
                    name, cluster.kubeconfig, controllers_of(cluster.platform), partial(self._faults, name)
                )
                self._running[name].start()
        for controllers in self._running.values():
            controllers.wake()

    def _faults(self, cluster: str) -> Faults:
        return self._folder.faults_in(cluster)
