"""The engine of one run: host, program server and provider servers, started when the first stack needs them.

A run in which every stack is unchanged starts none of this and imports no Pulumi.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.disk import folder_errors
from aiinfra.engine.events import OnEvent, ResourceChanged, Waiting
from aiinfra.engine.translate import translate
from aiinfra.engine.wire import Tree
from aiinfra.errors import AiinfraError
from aiinfra.report.run import Verb
from aiinfra.session.place.place import Place
from aiinfra.session.runner import StackProgram
from aiinfra.world import World

if TYPE_CHECKING:
    from aiinfra.engine.host_client import EngineHost, OperationHandle, OperationResult
    from aiinfra.engine.programs import ProgramServer
    from aiinfra.providers.servicer import Served

OPERATING: Final = ("aiinfra.engine.programs", "aiinfra.providers.aiinfra_provider", "aiinfra.providers.servicer")
"""What an operation imports: half a second of Pulumi and gRPC."""


@dataclass(slots=True)
class Engine:
    """Opened lazily, thread-safe, closed once."""

    world: World
    place: Place
    project: str
    binary: Callable[[], Path]
    """Finds or builds the engine host."""
    on_event: OnEvent
    parallel: int
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Secret values that no message of the engine may show."""
    limit: Callable[[str], float] = lambda stack: 0.0
    """Seconds that a plugin of others may take for one resource of a stack; 0: for ever."""
    usual: Callable[[str], float | None] = lambda stack: None
    """How long this verb usually takes on a stack, in seconds."""
    on_host: Callable[[int], None] = lambda pid: None
    """Called with the pid of each host as soon as it runs; set by `announce`."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    """Reentrant, as `on_host` may write a note through the new host."""
    _host: EngineHost | None = None
    _opened: bool = False
    _programs: ProgramServer | None = None
    _served: Served | None = None
    _imported: bool = False
    _running: dict[str, OperationHandle] = field(default_factory=dict)
    _attached: int = 0
    """Pid of the host that our providers are attached to."""
    _stopping: int = 0
    absent: bool = False
    """True when no host could be started and none ever ran: nothing was begun."""

    @property
    def log(self) -> Path:
        return self.world.state() / "logs" / f"{self.project}-engine.log"

    def host(self) -> EngineHost:
        """Return the running host, started when there is none. It has no providers yet."""
        with self._lock:
            if self._host is not None and not self._host.alive:
                self._host.close()
                self._host = None
            if self._host is None:
                self._host = self._first() if not self._opened else self._open()
                self.on_host(self._host.pid)
            return self._host

    def _first(self) -> EngineHost:
        try:
            host = self._open()
        except AiinfraError:
            self.absent = True
            raise
        self.absent, self._opened = False, True
        return host

    def prepared_host(self) -> EngineHost:
        """Return the host for an operation; it starts and derives its key while Pulumi is imported here."""
        with self._lock:
            if not self._imported:
                with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
                    imported = [pool.submit(import_module, name) for name in OPERATING]
                    self.host()
                    for one in imported:
                        one.result()
                self._imported = True
            return self.host()

    def announce(self, on_host: Callable[[int], None]) -> None:
        """Call `on_host` for the running host and for later ones."""
        with self._lock:
            self.on_host = on_host
            if self._host is not None:
                on_host(self._host.pid)

    def operate(
        self, verb: Verb, stack: str, program: StackProgram | None = None, *, refresh: bool = False
    ) -> OperationResult:
        """Run one Pulumi operation on one stack. Its events go to `on_event`; its changes count program resources.

        `refresh` reads the world before an update.
        """
        from aiinfra.engine.host_client import Operation

        host, tally = self._with_providers(), Counter[str]()
        address = self._register(stack, program)
        try:
            with self._lock:
                asked = Operation(
                    verb=verb,
                    stack=stack,
                    program=address,
                    refresh=refresh,
                    hidden=self.hidden,
                    limit=self.limit(stack),
                )
                handle = host.operate(asked, lambda raw: self._forward(stack, raw, tally))
                self._running[stack] = handle
                self._pass_on_stop(handle)
            return replace(handle.result(), changes=dict(tally))
        finally:
            with self._lock:
                self._running.pop(stack, None)
            if program is not None and self._programs is not None:
                self._programs.unregister(stack)

    def stop(self) -> None:
        """Finish and save running operations; on a second call stop them now."""
        with self._lock:
            self._stopping += 1
            for handle in self._running.values():
                self._pass_on_stop(handle)

    def prepare(self) -> None:
        """Start the host, and import meanwhile what operations need."""
        self.prepared_host()

    def existing(self) -> Collection[str]:
        return self.host().stacks()

    def outputs(self, stack: str) -> Mapping[str, Tree]:
        return self.host().outputs(stack)

    def deployment(self, stack: str) -> Mapping[str, Any]:
        deployment: Mapping[str, Any] = self.host().export(stack)["deployment"]
        return deployment

    def remove(self, stack: str, *, force: bool = False) -> None:
        self.host().remove_stack(stack, force=force)

    def settle(self) -> None:
        """Wait until no operation runs."""
        with self._lock:
            running = list(self._running.values())
        for handle in running:
            handle.wait()

    def close(self) -> None:
        with self._lock:
            if self._host is not None:
                self._host.close()
            if self._programs is not None:
                self._programs.close()
            if self._served is not None:
                self._served.stop()
            self._host = self._programs = self._served = None

    def _pass_on_stop(self, handle: OperationHandle) -> None:
        if self._stopping == 1:
            handle.cancel()
        elif self._stopping > 1:
            handle.terminate()

    def _register(self, stack: str, program: StackProgram | None) -> str:
        """Return the address at which the engine runs the program; empty without one."""
        if program is None:
            return ""
        from aiinfra.engine.programs import ProgramServer, bind

        with self._lock:
            if self._programs is None:
                self._programs = ProgramServer(self.log)
            self._programs.register(stack, bind(program.kind, program.context, program.inputs, program.resolve))
            return self._programs.address

    def _open(self) -> EngineHost:
        from aiinfra.engine.host_client import EngineHost, HostSettings

        settings = HostSettings(
            backend_url=self.place.state_url,
            project=self.project,
            secrets=self.place.secrets,
            passphrase=self.place.passphrase or None,
            providers={},
            pulumi_home=self.world.cache() / "pulumi",
            environ=self.place.environ,
            official_plugins=self.place.official_plugins,
            parallel=self.parallel,
        )
        with folder_errors("the folder for logs", self.log.parent):
            self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.log.touch(mode=0o600)
        return EngineHost.start(self.binary(), settings, self.log)

    def _with_providers(self) -> EngineHost:
        """Return the host with our providers attached, which reading state and notes does not need."""
        with self._lock:
            host = self.host()
            if host.pid != self._attached:
                host.attach(self._serve().ports)
                self._attached = host.pid
            return host

    def _serve(self) -> Served:
        if self._served is None:
            from aiinfra.providers import aiinfra_provider
            from aiinfra.providers.servicer import serve

            specs = [aiinfra_provider.spec(self.place.patience), *self.place.stand_ins()]
            self._served = serve(specs, self._waiting, self.log)
        return self._served

    def _forward(self, stack: str, raw: Mapping[str, Any], tally: Counter[str]) -> None:
        for event in translate(stack, raw, self.world.now()):
            if isinstance(event, ResourceChanged) and event.state == "done":
                tally[event.operation] += 1
            self.on_event(event)

    def _waiting(self, urn: str, what: str, seconds: float) -> None:
        stack = urn.split("::", maxsplit=1)[0].rpartition(":")[2]
        self.on_event(Waiting(stack, what, seconds, self.usual(stack), self.world.now()))
