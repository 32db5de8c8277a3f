"""The process that owns a lab: `python -m aiinfra.lab.supervisor --folder FOLDER`.

It has its own session, so Ctrl-C and the death of whoever started it do not reach it. All other processes of the lab
are its children and die with it. The main thread does nothing but start children (see `children.Spawner`).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from aiinfra.engine.lock import Process, boot_id
from aiinfra.lab import control_plane, faults
from aiinfra.lab.children import Children, Spawner
from aiinfra.lab.control import ControlServer, Say
from aiinfra.lab.partition import Doors
from aiinfra.lab.record import LabRecord
from aiinfra.lab.simulated_cluster import ClusterStarter, SimulatedCluster, spec_text
from aiinfra.world import World

CONTROLLERS: Final = "controllers"
CONTROLLERS_MODULE: Final = "aiinfra.lab.controllers"


class Supervisor:
    """The lab's clusters, faults and processes, and the verbs on them."""

    def __init__(self, folder: Path, spawner: Spawner) -> None:
        self._folder = folder
        self._spawner = spawner
        self._generation = uuid.uuid4().hex
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._clusters: dict[str, SimulatedCluster] = {}
        self._changing = threading.Lock()
        self._writing = threading.Lock()
        self._children = Children(spawner, folder / "logs", self.write_record)
        self._doors = Doors()
        self._starter = ClusterStarter(folder, self._children, self._doors)

    def answer(self, request: Mapping[str, Any], say: Say) -> object:
        """Do a verb of the control socket."""
        match request["verb"]:
            case "ensure":
                return self.ensure(request["clusters"], request["binaries"], say)
            case "status":
                return self.status()
            case "fault":
                return self.change_faults(faults.with_fault, request["name"], request["place"])
            case "lift":
                return self.change_faults(faults.without_fault, request["name"], request["place"])
            case "stop":
                return self.stop()
            case other:
                raise AssertionError(f"no verb {other!r}")

    def ensure(self, specs: Mapping[str, Any], binaries: Mapping[str, str], say: Say) -> object:
        """Start the clusters that are new, change the nodes of those whose description changed."""
        from aiinfra.model.lab import LabCluster

        wanted = {name: LabCluster.model_validate(spec) for name, spec in specs.items()}
        with self._changing:
            self._ensure_shared(binaries)
            with ThreadPoolExecutor(max(1, len(wanted))) as pool:
                work = [pool.submit(self._ensure_one, name, spec, binaries, say) for name, spec in wanted.items()]
            for future in work:
                future.result()
        return self.status()

    def _ensure_one(self, name: str, spec: Any, binaries: Mapping[str, str], say: Say) -> None:
        cluster = self._clusters.get(name)
        if cluster is None:
            self._clusters[name] = self._starter.start(name, spec, binaries, say)
            self._effect_partitions()
            self.write_record()
        elif cluster.spec != spec_text(spec):
            say(f"cluster {name}: its nodes change")
            self._starter.change_nodes(cluster, spec)

    def _ensure_shared(self, binaries: Mapping[str, str]) -> None:
        running = self._children.names()
        if control_plane.ETCD not in running:
            self._children.start(control_plane.ETCD, control_plane.etcd(binaries))
            self._children.keep([control_plane.ETCD])
        if CONTROLLERS not in running and find_spec(f"{CONTROLLERS_MODULE}.__main__"):
            argv = (sys.executable, "-m", CONTROLLERS_MODULE, "--lab", str(self._folder))
            self._children.start(CONTROLLERS, argv)
            self._children.keep([CONTROLLERS])

    def status(self) -> Mapping[str, object]:
        return {
            "generation": self._generation,
            "since": self._since,
            "clusters": {name: asdict(cluster.record) for name, cluster in sorted(self._clusters.items())},
            "processes": [asdict(child) for child in self._children.records()],
            "ended": list(self._children.ended()),
            "faults": [asdict(fault) for fault in faults.read(self._folder)],
        }

    def change_faults(self, change: Any, name: str, place: str) -> object:
        self._check_place(name, place)
        extra = (datetime.now(UTC),) if change is faults.with_fault else ()
        with self._writing:
            faults.write(self._folder, change(faults.read(self._folder), name, place, *extra))
        self._effect_partitions()
        return self.status()["faults"]

    def _check_place(self, name: str, place: str) -> None:
        if name == faults.API_PARTITION and place and place not in self._clusters:
            raise faults.unknown_place(place, self._clusters)

    def _effect_partitions(self) -> None:
        self._doors.shut_only(faults.partitioned(faults.read(self._folder), self._clusters))

    def stop(self) -> object:
        """Stop everything: what needs the API server first, then it, then etcd."""
        with self._changing:
            last = [control_plane.ETCD]
            servers = [name for name in self._children.names() if name.endswith(control_plane.API_SERVER)]
            self._children.stop([name for name in self._children.names() if name not in (*servers, *last)])
            self._children.stop(servers)
            self._children.stop(last)
            self._spawner.close()
        return None

    def write_record(self) -> None:
        me = Process.of(os.getpid())
        assert me
        with self._writing:
            LabRecord(
                self._generation,
                boot_id(),
                me.pid,
                me.started,
                self._since,
                self._children.records(),
                {name: cluster.record for name, cluster in self._clusters.items()},
            ).write(self._folder)


def run(folder: Path) -> None:
    """Own the lab in `folder` until it is stopped."""
    os.chdir(folder)
    (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    spawner = Spawner(folder, World.real().environ)
    supervisor = Supervisor(folder, spawner)
    server = ControlServer(folder, supervisor.answer)
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    end = threading.Thread(target=supervisor.stop, name="stop", daemon=True)
    signal.signal(signal.SIGTERM, lambda *_: end.start() if not end.ident else None)
    supervisor.write_record()
    spawner.serve()


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="aiinfra.lab.supervisor")
    parser.add_argument("--folder", type=Path, required=True)
    run(parser.parse_args(argv).folder.resolve())


if __name__ == "__main__":
    main()
