"""An environment with the real engine host, programs of the test, and a provider whose resources the test opens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi

from aiinfra.engine.host_client import EngineHost, HostSettings, Operation, OperationHandle, OperationResult
from aiinfra.engine.programs import ProgramServer
from aiinfra.engine.wire import UNKNOWN, Secret, Tree, reveal
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, Properties
from aiinfra.providers.servicer import Served
from aiinfra.report.run import Verb

LIMIT = 120.0
Program = Callable[[], None]


@dataclass
class Door:
    """`engine:test:Door`: echoes its properties; held shut, its Create and Delete wait."""

    open: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released by each Create that waits."""

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, list[CheckFailure]]:
        return inputs, []

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        return Diff([key for key in {*old_inputs, *news} if old_inputs.get(key) != news.get(key)])

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, "made": {"token": UNKNOWN, "size": 3}})
        if inputs.get("waits"):
            self._wait(call)
        if message := reveal(inputs.get("fails")):
            raise StepError(message, code="test.failed")
        made: Tree = {"token": Secret(f"token-of-{call.name}"), "size": 3}
        return Made(f"id-{call.name}", {**inputs, "made": made})

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        return Made(id, state or {"found": True}, inputs or {"found": True})

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        return Made(id, {**olds, **news})

    def delete(self, call: Call, id: str, state: Properties) -> None:
        if state.get("waits_in_delete"):
            self._wait(call)

    def _wait(self, call: Call) -> None:
        self.arrived.release()
        assert self.open.wait(LIMIT)


class DoorResource(pulumi.CustomResource):
    made: pulumi.Output[Any]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("engine:test:Door", name, {"made": None, **props}, opts)


def chain(count: int, **props: Any) -> Program:
    """A program of `count` resources, one after another; the first number and the last id are exported."""

    def run() -> None:
        last: DoorResource | None = None
        for number in range(count):
            last = DoorResource(f"door{number}", {"after": last.id if last else 0, **props})
        pulumi.export("count", count)
        if last is not None:
            pulumi.export("last", last.id)

    return run


@dataclass
class Site:
    """An environment: its state, its host when started, its programs."""

    binary: Path
    folder: Path
    served: Served
    door: Door
    programs: ProgramServer
    url: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    hosts: list[EngineHost] = field(default_factory=list)
    events: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> Path:
        return self.folder / "engine.log"

    def settings(self, **changes: Any) -> HostSettings:
        usual: dict[str, Any] = {
            "backend_url": self.url or f"file://{self.state}",
            "project": "site",
            "secrets": "passphrase",
            "passphrase": "correct horse",
            "providers": self.served.ports,
            "pulumi_home": self.folder / "home",
            "environ": {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **self.environ},
        }
        return HostSettings(**{**usual, **changes})

    def start(self, **changes: Any) -> EngineHost:
        host = EngineHost.start(self.binary, self.settings(**changes), self.log)
        self.hosts.append(host)
        return host

    @property
    def host(self) -> EngineHost:
        return self.hosts[-1] if self.hosts else self.start()

    def begin(self, verb: Verb, stack: str, program: Program | None = None) -> OperationHandle:
        if program is not None:
            self.programs.register(stack, program)
        address = self.programs.address if program is not None else ""
        return self.host.operate(Operation(verb, stack, address), self.events.append)

    def do(self, verb: Verb, stack: str, program: Program | None = None) -> OperationResult:
        return self.begin(verb, stack, program).result(LIMIT)

    def up(self, stack: str, program: Program) -> OperationResult:
        return self.do(Verb.UP, stack, program)

    def preview(self, stack: str, program: Program) -> OperationResult:
        return self.do(Verb.PREVIEW, stack, program)

    def destroy(self, stack: str) -> OperationResult:
        return self.do(Verb.DESTROY, stack)

    def wait_for_door(self, times: int = 1) -> None:
        """Until so many Creates or Deletes stand at the door."""
        for _ in range(times):
            assert self.door.arrived.acquire(timeout=LIMIT)

    def files(self) -> dict[str, str]:
        """What lies in the state, by path; texts."""
        return {
            path.relative_to(self.state).as_posix(): path.read_text(errors="replace")
            for path in sorted(self.state.rglob("*"))
            if path.is_file()
        }

    def close(self) -> None:
        self.door.open.set()
        for host in self.hosts:
            host.close()
        self.programs.close()
        self.served.stop()
