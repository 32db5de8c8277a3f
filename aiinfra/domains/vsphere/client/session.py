"""One session at one vCenter, for all threads of a run."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from pyVmomi import vim
from pyVmomi.VmomiSupport import GetVmodlType

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client import refusals
from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.connections import Connections
from aiinfra.domains.vsphere.client.errors import NotAVCenter, TooOld, VSphereError
from aiinfra.domains.vsphere.client.proofs import Proofs
from aiinfra.domains.vsphere.client.soap import Stub, negotiated_version
from aiinfra.waiting import Stopped, Waiter

ANSWER_SECONDS: Final = 60.0
"""How long one answer may take: a host's package list takes some seconds."""
LOGOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class About:
    instance_uuid: str
    version: str
    """`8.0.3`."""
    build: str
    api_version: str
    """`8.0.3.0`."""


class VCenter:
    """Safe to use from several threads; everything raises `VSphereError` and its families, and `Stopped`.

    Managed objects come from `content` and `object`; their methods are called as pyVmomi has them, their properties
    are read by `properties.collect`. A session that expires between two requests is begun anew; while a task is
    awaited, the questions for its state keep the session alive.
    """

    def __init__(
        self, access: Access, connections: Connections, stop: threading.Event, say: Callable[[str], None]
    ) -> None:
        self.access, self.stop, self.say = access, stop, say
        self.paths: dict[str, str] = {}
        """Inventory paths by moref, as far as they were read; messages use them."""
        self.proofs = Proofs()
        self._connections = connections
        self._stub = Stub(connections, negotiated_version(connections, str(access)), str(access), self.name)
        self.content: Any = vim.ServiceInstance("ServiceInstance", self._stub).RetrieveContent()
        """`vim.ServiceInstanceContent`."""
        self.about = _about(self.content, access)

    @classmethod
    def open(
        cls,
        access: Access,
        *,
        stop: threading.Event,
        say: Callable[[str], None],
        timeout: float = ANSWER_SECONDS,
    ) -> Self:
        """Connect and log in. `say` is called with what is awaited; `timeout` is seconds for one answer."""
        connections = Connections(access, stop, timeout)
        try:
            vcenter = cls(access, connections, stop, say)
            vcenter._stub.log_in(vcenter._log_in)
        except BaseException:
            connections.close()
            raise
        return vcenter

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"VCenter({self.access})"

    def close(self) -> None:
        """Log out when the vCenter can be reached."""
        self._connections.timeout = min(LOGOUT_SECONDS, self._connections.timeout)
        with suppress(VSphereError, Stopped):
            self.content.sessionManager.Logout()
        self._connections.close()

    @property
    def calls(self) -> Mapping[str, int]:
        """How many SOAP requests were sent so far, by method."""
        return dict(self._stub.calls)

    @property
    def session(self) -> int:
        """Counts sessions: what a vCenter keeps for one, such as the rest of a long answer, is lost with it."""
        return self._stub.session

    @property
    def session_key(self) -> str:
        """The key of the current login."""
        return self._stub.session_key

    def reporting_to(self, stop: threading.Event, say: Callable[[str], None]) -> Self:
        """Return the same session with another stop and listener. Closing the original closes it."""
        same = copy.copy(self)
        same.stop, same.say = stop, say
        return same

    def waiter(self, limit: float, every: float = 0.25) -> Waiter:
        """Return a waiter that stops and reports as this session does; `limit` and `every` are seconds."""
        return Waiter(limit, every, stop=self.stop, on_wait=lambda what, since: self.say(what))

    def object(self, moref: str, kind: str) -> Any:
        """Return the managed object of a kind such as `VirtualMachine`. Sends no request."""
        return GetVmodlType(f"vim.{kind}")(moref, self._stub)

    def name(self, obj: Any) -> str:
        """Return the inventory path of a managed object where it was read, else `VirtualMachine vm-42`."""
        return self.paths.get(obj._moId) or f"{type(obj).__name__.rpartition('.')[2]} {obj._moId}"

    def refusal(self, fault: Any, about: str, *, powering: bool = False) -> VSphereError:
        """Return the error for a fault inside an answer; `powering` says that it answers a power-on."""
        vcenter = str(self.access)
        return refusals.refusal(fault, about=about, naming=self.name, vcenter=vcenter, powering=powering)

    def require_api(self, version: str, for_what: str) -> None:
        """Check the API version, as pyVmomi silently leaves out what it does not know. Raises `TooOld`."""
        if _numbers(self.about.api_version) < _numbers(version):
            message = f"{for_what} needs vSphere API {version}, {self.access} has {self.about.api_version}"
            raise TooOld(message, where=str(self.access), hint="upgrade the vCenter, or use another variant")

    def _log_in(self) -> str:
        return str(self.content.sessionManager.Login(self.access.user, self.access.password).key)


def _about(content: Any, access: Access) -> About:
    about = content.about
    if about.apiType != "VirtualCenter":
        message = f"{access} is an ESXi host ({about.fullName or about.name}), not a vCenter"
        raise NotAVCenter(message, where=str(access), hint="name the vCenter that manages it")
    return About(about.instanceUuid or "", about.version, about.build, about.apiVersion)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
