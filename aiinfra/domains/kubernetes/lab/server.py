"""The simulated clusters of a lab, in its supervisor: one etcd and one process of controllers for all of them."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, cast

from aiinfra.domain_lab import LabServerContext, SetFault
from aiinfra.domains.kubernetes.lab import control_plane
from aiinfra.domains.kubernetes.lab.block import LabCluster
from aiinfra.domains.kubernetes.lab.cluster_files import EXPECTED
from aiinfra.domains.kubernetes.lab.domain import API_PARTITION
from aiinfra.domains.kubernetes.lab.operator_runner import OperatorRunner
from aiinfra.domains.kubernetes.lab.partition import Relays
from aiinfra.domains.kubernetes.lab.simulated_cluster import ClusterStarter, SimulatedCluster, spec_text
from aiinfra.engine.wire import Tree
from aiinfra.errors import ConfigError
from aiinfra.lab.record import write_atomic

CONTROLLERS: Final = "controllers"
CONTROLLERS_MODULE: Final = "aiinfra.domains.kubernetes.lab.controllers"
Say = Callable[[str], None]


class KubernetesServer:
    """A `LabServer` that `MakesParts`: a part is a cluster. Verbs on one cluster wait for each other, others do not."""

    def __init__(self, context: LabServerContext) -> None:
        self._context = context
        self._relays = Relays()
        self._starter = ClusterStarter(context, self._relays)
        self._clusters: dict[str, SimulatedCluster] = {}
        self._expected: Sequence[str] = ()
        self._faults: Sequence[SetFault] = ()
        self._locks: dict[str, threading.Lock] = {}
        self._sharing = threading.Lock()
        self._shutting = threading.Lock()
        self._operators: dict[str, OperatorRunner] = {}
        self._module_caches: Sequence[Path] = ()

    def ensure(self, spec: Tree, binaries: Mapping[str, str], say: Say) -> None:
        """Start the clusters that are new, and change the nodes of those whose description changed."""
        described = cast("Mapping[str, Any]", spec)
        specs = {name: LabCluster.model_validate(cluster) for name, cluster in described["clusters"].items()}
        self._module_caches = [Path(cache) for cache in described.get("module_caches", ())]
        self._ensure_etcd(binaries)
        self._expect(described["made_by_stacks"])
        with ThreadPoolExecutor(max(1, len(specs))) as pool:
            work = [pool.submit(self._ensure_one, name, spec, binaries, say) for name, spec in specs.items()]
        for future in work:
            future.result()
        self._ensure_controllers()

    def make(self, name: str, description: Tree, binaries: Mapping[str, str], say: Say) -> Mapping[str, Any]:
        """Make the cluster of this name, or give it the nodes that are described; return its record."""
        spec = LabCluster.model_validate(description)
        self._ensure_etcd(binaries)
        cluster = self._ensure_one(name, spec, binaries, say)
        self._ensure_controllers()
        return asdict(cluster.record)

    def remove(self, name: str) -> None:
        """End the cluster's servers; delete its files, their logs, and what etcd has of it."""
        with self._lock_of(name):
            cluster = self._clusters.pop(name, None)
            if cluster is None:
                return
            self._stop_operator(name)
            self._starter.remove(cluster)
            self._context.changed()

    def record(self) -> Mapping[str, Any]:
        return {name: asdict(cluster.record) for name, cluster in list(self._clusters.items())}

    def check_place(self, fault: str, place: str) -> None:
        """Accept a cluster that exists, or that a stack makes in the run. Raises `ConfigError` for any other."""
        known = {*self._clusters, *self._expected}
        if fault != API_PARTITION or not place or place in known:
            return
        raise ConfigError(
            f"the lab has no cluster {place!r} to cut off",
            code="lab.unknown_place",
            where="fault",
            hint=f"it has: {', '.join(sorted(known)) or 'none'}",
        )

    def apply_faults(self, faults: Iterable[SetFault]) -> None:
        """Shut the relays of the clusters that are cut off. The controllers and stand-ins read the other faults."""
        self._faults = tuple(faults)
        self._shut_relays()

    def stop(self) -> None:
        """Stop what needs an API server first, then the API servers, then etcd."""
        for name in list(self._operators):
            self._stop_operator(name)
        names = self._context.running()
        servers = [name for name in names if name.endswith(f"/{control_plane.API_SERVER}")]
        self._context.stop([name for name in names if name not in (*servers, control_plane.ETCD)])
        self._context.stop(servers)
        self._context.stop([control_plane.ETCD])

    def _ensure_one(self, name: str, spec: LabCluster, binaries: Mapping[str, str], say: Say) -> SimulatedCluster:
        with self._lock_of(name):
            cluster = self._clusters.get(name)
            if cluster is None:
                cluster = self._clusters[name] = self._starter.start(name, spec, binaries, say)
                self._shut_relays()
                self._context.changed()
            elif cluster.spec != spec_text(spec):
                say(f"cluster {name}: its nodes change")
                self._starter.change_nodes(cluster, spec)
            self._ensure_operator(name, spec, binaries)
            return cluster

    def _ensure_operator(self, name: str, spec: LabCluster, binaries: Mapping[str, str]) -> None:
        """Have the real operator run beside the cluster, or not, as its description says."""
        if spec.operators == "stand-in":
            self._stop_operator(name)
        elif name not in self._operators:
            runner = OperatorRunner(self._context, name, binaries, self._module_caches, threading.Event())
            runner.start(spec)
            self._operators[name] = runner

    def _stop_operator(self, name: str) -> None:
        runner = self._operators.pop(name, None)
        if runner is not None:
            runner.stop()

    def _expect(self, names: Sequence[str]) -> None:
        path = self._context.folder / EXPECTED
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(path, json.dumps(names))
        self._expected = tuple(names)

    def _lock_of(self, name: str) -> threading.Lock:
        return self._locks.setdefault(name, threading.Lock())

    def _shut_relays(self) -> None:
        with self._shutting:
            self._relays.shut_only(partitioned(self._faults, list(self._clusters)))

    def _ensure_etcd(self, binaries: Mapping[str, str]) -> None:
        self._ensure_child(control_plane.ETCD, control_plane.etcd(binaries))

    def _ensure_controllers(self) -> None:
        argv = (sys.executable, "-m", CONTROLLERS_MODULE, "--lab", str(self._context.folder))
        self._ensure_child(CONTROLLERS, argv)

    def _ensure_child(self, name: str, argv: Sequence[str]) -> None:
        with self._sharing:
            if name not in self._context.running():
                self._context.start(name, argv)
                self._context.keep([name])


def partitioned(faults: Iterable[SetFault], clusters: Iterable[str]) -> frozenset[str]:
    """Return the clusters whose API server clients cannot reach."""
    places = {fault.place for fault in faults if fault.name == API_PARTITION}
    return frozenset(name for name in clusters if name in places or "" in places)
