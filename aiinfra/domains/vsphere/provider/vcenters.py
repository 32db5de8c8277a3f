"""The vCenters that requests talk to: one session an account, which reports to the request that uses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiinfra.domains.vsphere.client.access import Access
from aiinfra.engine.wire import Secret, Tree
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call

if TYPE_CHECKING:
    from aiinfra.domains.vsphere.client.session import VCenter


def with_secret_password(connection: Tree) -> Tree:
    """Return the connection with its password marked secret; host and user stay readable in messages."""
    if not isinstance(connection, Mapping) or isinstance(connection.get("password"), Secret):
        return connection
    return {**connection, "password": Secret(connection.get("password"))}


class VCenters:
    """Thread-safe. pyVmomi is imported when the first vCenter is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[Access, VCenter] = {}
        self._opening: dict[Access, threading.Lock] = {}
        self._closing = threading.Event()

    def of(self, call: Call, access: Access) -> VCenter:
        """Return the session at a vCenter, which reports to this request. Raises `VSphereError`, `Stopped`."""
        started = time.monotonic()
        with self._lock:
            opening = self._opening.setdefault(access, threading.Lock())
        with opening:
            session = self._sessions.get(access) or self._open(access)
        return session.reporting_to(call.stop, lambda what: call.say(what, time.monotonic() - started))

    def identified(self, call: Call, access: Access, uuid: str) -> VCenter:
        """Return the session of `of` at the recorded vCenter. Raises `StepError` `vsphere.another`."""
        vcenter = self.of(call, access)
        if uuid and vcenter.about.instance_uuid != uuid:
            raise StepError(
                f"{access} is another vCenter: its id is {vcenter.about.instance_uuid}, recorded is {uuid}",
                code="vsphere.another",
                hint="name the recorded vCenter, or use a new stack name for the new one",
            )
        return vcenter

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _open(self, access: Access) -> VCenter:
        from aiinfra.domains.vsphere.client.session import VCenter

        session = VCenter.open(access, stop=self._closing, say=lambda what: None)
        with self._lock:
            self._sessions[access] = session
        return session
