"""The process that owns a lab: `python -m aiinfra.lab.supervisor --folder FOLDER`.

It has its own session, so Ctrl-C and the death of whoever started it do not reach it. All other processes of the lab
are its children and die with it. The main thread does nothing but start children (see `children.Spawner`).

It ends on the verb `stop`, on SIGTERM (on a second one at once), and soon after `lab.json` is gone or another lab's.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiinfra.disk import usable
from aiinfra.domains.kubernetes.lab import control_plane
from aiinfra.domains.kubernetes.lab.partition import Doors
from aiinfra.domains.kubernetes.lab.simulated_cluster import ClusterStarter, SimulatedCluster, spec_text
from aiinfra.domains.vsphere.lab import simulator as simulated_vcenter
from aiinfra.domains.vsphere.lab.simulator import SimulatedVCenter
from aiinfra.engine.lock import Process, boot_id
from aiinfra.lab import faults
from aiinfra.lab.children import Children, Spawner
from aiinfra.lab.control import ControlServer, Say
from aiinfra.lab.record import LabRecord, is_of
from aiinfra.waiting import Pending, Stopped, Waiter
from aiinfra.world import World

CONTROLLERS: Final = "controllers"
CONTROLLERS_MODULE: Final = "aiinfra.domains.kubernetes.lab.controllers"
LOOK_EVERY: Final = 1.0
"""Seconds between two looks at whether the lab's record is still ours."""
CHANGE_LIMIT: Final = 3.0
"""Seconds for which the end of a lab waits for a change that is under way."""


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
        self._ending = threading.Event()
        self._children = Children(spawner, folder / "logs", self._heard_change)
        self._doors = Doors()
        self._starter = ClusterStarter(folder, self._children, self._doors)
        self._vcenter = SimulatedVCenter(folder, self._children)

    def answer(self, request: Mapping[str, Any], say: Say) -> object:
        """Do a verb of the control socket."""
        with usable("the lab's folder", self._folder):
            return self._answer(request, say)

    def _answer(self, request: Mapping[str, Any], say: Say) -> object:
        match request["verb"]:
            case "ensure":
                return self.ensure(request["clusters"], request["binaries"], say, request.get("vcenter"))
            case "status":
                return self.status()
            case "fault":
                return self.set_fault(request["name"], request["place"])
            case "lift":
                return self.lift_fault(request["name"], request["place"])
            case "stop":
                return self.stop()
            case other:
                raise AssertionError(f"no verb {other!r}")

    def ensure(
        self, specs: Mapping[str, Any], binaries: Mapping[str, str], say: Say, vcenter: Mapping[str, Any] | None = None
    ) -> object:
        """Start the clusters that are new, change the nodes of those whose description changed; start the vCenter."""
        from aiinfra.model.lab import LabCluster

        wanted = {name: LabCluster.model_validate(spec) for name, spec in specs.items()}
        with self._changing:
            self._ensure_etcd(binaries)
            with ThreadPoolExecutor(max(1, len(wanted))) as pool:
                work = [pool.submit(self._ensure_one, name, spec, binaries, say) for name, spec in wanted.items()]
            for future in work:
                future.result()
            self._ensure_controllers()
            if vcenter is not None and simulated_vcenter.VCENTER not in self._children.names():
                self._vcenter.start(vcenter, binaries[simulated_vcenter.VCENTER])
                self._effect_faults()
                say("vcenter: answers")
        return self.status()

    def _ensure_one(self, name: str, spec: Any, binaries: Mapping[str, str], say: Say) -> None:
        cluster = self._clusters.get(name)
        if cluster is None:
            self._clusters[name] = self._starter.start(name, spec, binaries, say)
            self._effect_partitions()
            self._renew_record()
        elif cluster.spec != spec_text(spec):
            say(f"cluster {name}: its nodes change")
            self._starter.change_nodes(cluster, spec)

    def _ensure_etcd(self, binaries: Mapping[str, str]) -> None:
        if control_plane.ETCD not in self._children.names():
            self._children.start(control_plane.ETCD, control_plane.etcd(binaries))
            self._children.keep([control_plane.ETCD])

    def _ensure_controllers(self) -> None:
        if CONTROLLERS not in self._children.names():
            argv = (sys.executable, "-m", CONTROLLERS_MODULE, "--lab", str(self._folder))
            self._children.start(CONTROLLERS, argv)
            self._children.keep([CONTROLLERS])

    def status(self) -> Mapping[str, object]:
        return {
            "generation": self._generation,
            "since": self._since,
            "clusters": {name: asdict(cluster.record) for name, cluster in sorted(self._clusters.copy().items())},
            "processes": [asdict(child) for child in self._children.records()],
            "ended": [child.why_ended() for child in self._children.ended()],
            "faults": [asdict(fault) for fault in faults.read(self._folder)],
        }

    def set_fault(self, name: str, place: str) -> object:
        if name == faults.API_PARTITION and place and place not in self._clusters:
            raise faults.unknown_place(place, self._clusters)
        now = datetime.now(UTC)
        return self._change_faults(lambda current: faults.with_fault(current, name, place, now))

    def lift_fault(self, name: str, place: str) -> object:
        return self._change_faults(lambda current: faults.without_fault(current, name, place))

    def _change_faults(self, change: Callable[[Sequence[faults.Fault]], Sequence[faults.Fault]]) -> object:
        with self._writing:
            faults.write(self._folder, change(faults.read(self._folder)))
        self._effect_partitions()
        self._effect_faults()
        return None

    def _effect_partitions(self) -> None:
        self._doors.shut_only(faults.partitioned(faults.read(self._folder), list(self._clusters)))

    def _effect_faults(self) -> None:
        if simulated_vcenter.VCENTER in self._children.names():
            self._vcenter.break_by(fault for fault in faults.read(self._folder) if fault.name in faults.VCENTER_FAULTS)

    def stop(self) -> object:
        """Stop everything: what needs the API server first, then it, then etcd. Whatever fails, the supervisor ends."""
        self._ending.set()
        try:
            self._heard_change()
            self._changing.acquire(timeout=CHANGE_LIMIT)
            last = [control_plane.ETCD]
            servers = [name for name in self._children.names() if name.endswith(control_plane.API_SERVER)]
            self._children.stop([name for name in self._children.names() if name not in (*servers, *last)])
            self._children.stop(servers)
            self._children.stop(last)
        finally:
            self._spawner.close()
        return None

    def watch_record(self) -> None:
        """Stop everything as soon as the record is gone or another lab's: nobody could find this lab any more."""

        def ask() -> bool | Pending:
            return not is_of(self._folder, self._generation) or Pending("the end of the lab's record")

        with suppress(Stopped):
            Waiter(math.inf, every=LOOK_EVERY, stop=self._ending).until(ask)
            print(f"{self._folder} holds this lab no more; it ends", flush=True)
            self.stop()

    def _heard_change(self) -> None:
        """A record that stays behind, as on a full disk, stops no server."""
        try:
            self._renew_record()
        except OSError as error:
            print(f"the lab's record cannot be written: {error}", flush=True)

    def _renew_record(self) -> None:
        """Another lab's record is not ours to write over."""
        if is_of(self._folder, self._generation):
            self.write_record()

    def write_record(self) -> None:
        me = Process.of(os.getpid())
        assert me
        with self._writing:
            LabRecord(
                self._generation,
                socket.gethostname(),
                boot_id(),
                me.pid,
                me.started,
                self._since,
                self._children.records(),
                {name: cluster.record for name, cluster in list(self._clusters.items())},
                self._ending.is_set(),
            ).write(self._folder)


def run(folder: Path) -> None:
    """Own the lab in `folder` until it is stopped; does not return."""
    os.chdir(folder)
    (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    spawner = Spawner(folder, World.real().environ)
    supervisor = Supervisor(folder, spawner)
    server = ControlServer(folder, supervisor.answer)
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    asked = _told_to_end()
    threading.Thread(target=_end_on, args=(asked, supervisor), name="end", daemon=True).start()
    supervisor.write_record()
    threading.Thread(target=supervisor.watch_record, name="watch-record", daemon=True).start()
    spawner.serve()
    # Threads that still start a cluster would keep the interpreter; children that are left die with us.
    os._exit(0)


def _told_to_end() -> int:
    """A pipe that gets one byte for each SIGTERM, whichever thread the kernel gives it to.

    A handler in Python would wait until the main thread wakes, and that may have nothing to do for ever.
    """
    asked, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    return asked


def _end_on(asked: int, supervisor: Supervisor) -> None:
    os.read(asked, 1)
    threading.Thread(target=supervisor.stop, name="stop", daemon=True).start()
    os.read(asked, 1)
    os._exit(1)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="aiinfra.lab.supervisor")
    parser.add_argument("--folder", type=Path, required=True)
    run(parser.parse_args(argv).folder.resolve())


if __name__ == "__main__":
    main()
