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
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiinfra.disk import folder_errors
from aiinfra.domain import load
from aiinfra.domain_lab import LabServer, MakesParts, SetFault
from aiinfra.engine.lock import Process, boot_id
from aiinfra.lab import faults
from aiinfra.lab.children import Children, Spawner
from aiinfra.lab.control import ControlServer, Say
from aiinfra.lab.domains import domain_of_fault, lab_domains
from aiinfra.lab.record import LabRecord, is_of
from aiinfra.lab.serving import Changes, DomainChildren
from aiinfra.waiting import Pending, Stopped, Waiter
from aiinfra.world import World

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at whether the lab's record is still ours."""
MAX_DESCRIPTOR: Final = 1 << 16
CHANGE_LIMIT: Final = 3.0
"""Seconds for which the end of a lab waits for a change that is under way."""


class Supervisor:
    """The servers of a lab's domains, its faults and processes, and the verbs on them."""

    def __init__(self, folder: Path, spawner: Spawner) -> None:
        self._folder = folder
        self._spawner = spawner
        self._generation = uuid.uuid4().hex
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._servers: dict[str, LabServer] = {}
        self._binaries: dict[str, str] = {}
        self._changes = Changes()
        self._ensuring = threading.Lock()
        self._adding = threading.Lock()
        self._writing = threading.Lock()
        self._ending = threading.Event()
        self._children = Children(spawner, folder / "logs", self._on_change)

    def answer(self, request: Mapping[str, Any], say: Say) -> object:
        """Handle a request of the control socket and return its result."""
        with folder_errors("the lab's folder", self._folder):
            return self._answer(request, say)

    def _answer(self, request: Mapping[str, Any], say: Say) -> object:
        verbs: Mapping[str, Callable[..., object]] = {
            "ensure": partial(self.ensure, say=say),
            "make": partial(self.make, say=say),
            "remove": self.remove,
            "status": self.status,
            "fault": self.set_fault,
            "lift": self.lift_fault,
            "stop": self.stop,
        }
        return verbs[request["verb"]](**{key: value for key, value in request.items() if key != "verb"})

    def ensure(self, specs: Mapping[str, Any], binaries: Mapping[str, str], say: Say) -> object:
        """Let each domain meet its spec; what it has beyond that stays."""
        with self._changes, self._ensuring:
            self._binaries.update(binaries)
            for domain, tree in specs.items():
                self._server(domain).ensure(tree, self._binaries, say)
                self._renew_record()
        return self.status()

    def make(self, domain: str, name: str, description: Any, binaries: Mapping[str, str], say: Say) -> object:
        """Make one part of a domain, with the programs of all requests so far; return the part's record."""
        with self._changes:
            self._binaries.update(binaries)
            return self._maker(domain).make(name, description, self._binaries, say)

    def remove(self, domain: str, name: str) -> object:
        """Remove one part of a domain."""
        with self._changes:
            self._maker(domain).remove(name)
        return None

    def _maker(self, domain: str) -> MakesParts:
        server = self._server(domain)
        if not isinstance(server, MakesParts):
            raise TypeError(f"the domain {domain} makes no parts during a run")
        return server

    def _server(self, domain: str) -> LabServer:
        with self._adding:
            if domain not in self._servers:
                children = DomainChildren(self._folder, self._children, self._renew_record)
                server: LabServer = load(lab_domains()[domain].server)(children)
                server.apply_faults(self._faults_of(domain))
                self._servers[domain] = server
            return self._servers[domain]

    def status(self) -> Mapping[str, object]:
        return {
            "generation": self._generation,
            "since": self._since,
            "domains": self._records(),
            "processes": [asdict(child) for child in self._children.records()],
            "ended": [child.why_ended() for child in self._children.ended()],
            "faults": [asdict(fault) for fault in faults.read(self._folder)],
        }

    def _records(self) -> Mapping[str, Mapping[str, Any]]:
        return {domain: dict(sorted(server.record().items())) for domain, server in list(self._servers.items())}

    def set_fault(self, name: str, place: str) -> object:
        server = self._servers.get(domain_of_fault(faults.fault_type(name).name)[0])
        if server is not None:
            server.check_place(name, place)
        now = datetime.now(UTC)
        return self._change_faults(lambda current: faults.with_fault(current, name, place, now))

    def lift_fault(self, name: str, place: str) -> object:
        return self._change_faults(lambda current: faults.without_fault(current, name, place))

    def _change_faults(self, change: Callable[[Sequence[SetFault]], Sequence[SetFault]]) -> object:
        with self._writing:
            faults.write(self._folder, change(faults.read(self._folder)))
        with self._adding:
            for domain, server in self._servers.items():
                server.apply_faults(self._faults_of(domain))
        return None

    def _faults_of(self, domain: str) -> Sequence[SetFault]:
        return [fault for fault in faults.read(self._folder) if domain_of_fault(fault.name)[0] == domain]

    def stop(self) -> object:
        """Stop everything, each domain in the order that it needs. Whatever fails, the supervisor ends."""
        self._ending.set()
        try:
            self._on_change()
            self._changes.wait_for_none(CHANGE_LIMIT)
            for server in list(self._servers.values()):
                server.stop()
            self._children.stop(self._children.names())
        finally:
            self._spawner.close()
        return None

    def watch_record(self) -> None:
        """Stop everything as soon as the record is gone or another lab's: nobody could find this lab any more."""

        def ask() -> bool | Pending:
            return not is_of(self._folder, self._generation) or Pending("the end of the lab's record")

        with suppress(Stopped):
            Waiter(math.inf, every=LOOK_EVERY, stop=self._ending).until(ask)
            print(f"{self._folder} no longer holds this lab; it ends", flush=True)
            self.stop()

    def _on_change(self) -> None:
        """Write the record anew; a failure, as on a full disk, stops no server."""
        try:
            self._renew_record()
        except OSError as error:
            print(f"the lab's record cannot be written: {error}", flush=True)

    def _renew_record(self) -> None:
        """Write the record, unless the folder has another lab's by now."""
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
                self._records(),
                self._ending.is_set(),
            ).write(self._folder)


def run(folder: Path) -> None:
    """Own the lab in `folder` until it is stopped; does not return."""
    os.closerange(
        3, MAX_DESCRIPTOR
    )  # what the caller of `up` had open, such as the lock of `flock FILE aiinfra up lab`
    os.chdir(folder)
    (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    spawner = Spawner(folder, World.real().environ)
    supervisor = Supervisor(folder, spawner)
    server = ControlServer(folder, supervisor.answer)
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    asked = _sigterm_pipe()
    threading.Thread(target=_end_on, args=(asked, supervisor), name="end", daemon=True).start()
    supervisor.write_record()
    threading.Thread(target=supervisor.watch_record, name="watch-record", daemon=True).start()
    spawner.serve()
    # Threads that still start a cluster would keep the interpreter; children that are left die with us.
    os._exit(0)


def _sigterm_pipe() -> int:
    """Return a pipe that gets one byte for each SIGTERM, in whichever thread it arrives.

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
