"""All clusters of a lab: follows the lab's folder, where clusters and faults come and go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.domain_lab import SetFault
from aiinfra.domains.kubernetes.lab.block import LabCluster, Operators, Platform
from aiinfra.domains.kubernetes.lab.cluster_files import INTERNAL, SPEC
from aiinfra.domains.kubernetes.lab.controllers.cluster import ClusterControllers
from aiinfra.domains.kubernetes.lab.controllers.faults import Faults
from aiinfra.domains.kubernetes.lab.controllers.platforms import controllers_of
from aiinfra.lab import faults
from aiinfra.waiting import Pending, Stopped, Waiter

LOOK_EVERY = 0.2
"""Seconds between two looks at the folder."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterFiles:
    """What the lab's folder holds about one cluster."""

    kubeconfig: str
    """A kubeconfig with the direct address of its API server, which a partition does not cut off."""
    platform: Platform
    operators: Operators

    @classmethod
    def read(cls, home: Path) -> ClusterFiles:
        """Read the files of the cluster in the folder `home`. Raises `OSError`."""
        spec = LabCluster.model_validate_json((home / SPEC).read_text())
        return cls((home / INTERNAL).read_text(), spec.platform, spec.operators)


@dataclass(frozen=True, slots=True)
class LabFiles:
    """The clusters and the faults that the lab's folder holds at one moment."""

    clusters: Mapping[str, ClusterFiles]
    faults: Sequence[SetFault]

    @classmethod
    def read(cls, path: Path) -> LabFiles:
        """Read the files of the lab in the folder `path`. Raises `OSError`."""
        homes = sorted(file.parent for file in (path / "clusters").glob(f"*/{SPEC}"))
        found = {home.name: ClusterFiles.read(home) for home in homes if (home / INTERNAL).exists()}
        return cls(found, tuple(faults.read(path)))

    def faults_in(self, cluster: str) -> Faults:
        """Return the faults that are set everywhere, in this cluster, or at a stack.

        Which cluster a stack works in is not known here: every cluster gets the faults of all stacks.
        """
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
        self._files = LabFiles({}, ())
        self._running: dict[str, ClusterControllers] = {}

    def run(self) -> None:
        waiter = Waiter(limit=float("inf"), every=LOOK_EVERY, stop=self._stop)
        try:
            while True:
                self._follow(waiter.until(self._changed_files))
        except Stopped:
            for controllers in self._running.values():
                controllers.stop()

    def _changed_files(self) -> LabFiles | Pending:
        try:
            files = LabFiles.read(self._path)
        except OSError:
            return Pending("the lab's folder")
        return Pending("a change in the lab's folder") if files == self._files else files

    def _follow(self, files: LabFiles) -> None:
        before, self._files = self._files, files
        for name in before.clusters:
            if files.clusters.get(name) != before.clusters[name]:
                self._running.pop(name).stop()
        for name, cluster in files.clusters.items():
            if name not in self._running:
                log.info("cluster %s", name)
                controllers = controllers_of(cluster.platform, cluster.operators)
                self._running[name] = ClusterControllers(
                    name, cluster.kubeconfig, controllers, partial(self._faults, name)
                )
                self._running[name].start()
        for running in self._running.values():
            running.wake()

    def _faults(self, cluster: str) -> Faults:
        return self._files.faults_in(cluster)
