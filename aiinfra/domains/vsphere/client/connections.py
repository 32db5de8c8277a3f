"""HTTP to one vCenter: connections that are kept, as many at once as there are callers, none that outlives a stop."""

from __future__ import annotations

import gzip
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from aiinfra.domains.vsphere.client import tls
from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.errors import Unreachable
from aiinfra.waiting import Pending, Stopped, TimedOut, Waiter

CONNECT_SECONDS = 10.0
KEPT = 16
DROPPED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)
"""How a kept connection shows that the server closed it meanwhile."""
CHECK = "check that it is up and that this machine can reach it"


_step: ContextVar[threading.Event | None] = ContextVar("step", default=None)


@contextmanager
def heeding(stop: threading.Event) -> Iterator[None]:
    """While it lasts, this thread's requests end with `Stopped` when `stop` is set: one session serves many steps."""
    token = _step.set(stop)
    try:
        yield
    finally:
        _step.reset(token)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    reason: str
    cookies: str
    """All that it sets, as a request sends them."""
    body: bytes


class Connections:
    """Thread-safe. Raises `Unreachable`, `Untrusted`, and `Stopped` when `stop` is set while an answer is awaited."""

    def __init__(self, access: Access, stop: threading.Event, timeout: float) -> None:
        self._access, self._stop = access, stop
        self.timeout = timeout
        """Seconds for one answer."""
        self._tls = tls.context(access)
        self._idle: list[http.client.HTTPSConnection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], *, repeatable: bool
    ) -> Answer:
        """One request and its whole answer.

        With `repeatable` it is sent again, once, when a kept connection turns out to be closed.
        """
        try:
            if kept := self._kept():
                try:
                    return self._exchange(kept, method, path, body, headers)
                except DROPPED:
                    self.close()
                    if not repeatable:
                        raise
            return self._exchange(self._connected(), method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def _kept(self) -> http.client.HTTPSConnection | None:
        """One whose server has not closed it: nothing can be read from it while nothing was asked."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.sock and not _readable(connection.sock, 0):
                return connection
            connection.close()

    def _exchange(
        self,
        connection: http.client.HTTPSConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        try:
            connection.request(method, path, body, dict(headers))
            self._await(connection.sock)
            response = connection.getresponse()
            answer = _read(response)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not response.will_close and len(self._idle) < KEPT:
                self._idle.append(connection)
                return answer
        connection.close()
        return answer

    def _await(self, connected: socket.socket) -> None:
        """Until the answer begins. A stop that was asked for before does not disturb those who clean up."""
        stops = [stop for stop in (self._stop, _step.get()) if stop is not None and not stop.is_set()]
        waiting = Pending(f"an answer of {self._access}")

        def look() -> bool | Pending:
            if any(stop.is_set() for stop in stops):
                raise Stopped(waiting.what)
            return _readable(connected, 0.2) or waiting

        try:
            Waiter(self.timeout, every=0).until(look)
        except TimedOut as error:
            raise TimeoutError from error

    def _connected(self) -> http.client.HTTPSConnection:
        near = min(CONNECT_SECONDS, self.timeout)
        connection = http.client.HTTPSConnection(self._access.host, self._access.port, timeout=near, context=self._tls)
        try:
            connection.connect()
            connection.sock.settimeout(self.timeout)
            tls.verify_pin(self._access, connection.sock)
        except TimeoutError as error:
            connection.close()
            message = f"{self._access.host} does not answer on port {self._access.port}"
            raise Unreachable(message, where=str(self._access), hint=CHECK, transient=True) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _unreachable(self, error: OSError | http.client.HTTPException) -> Unreachable:
        where, transient = str(self._access), True
        match error:
            case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):
                return tls.not_trusted(error, self._access)
            case socket.gaierror():
                message, transient = f"the name {self._access.host} cannot be resolved", False
            case ConnectionRefusedError():
                message = f"{self._access.host} refuses connections on port {self._access.port}"
            case TimeoutError():
                message = f"{self._access} did not answer within {self.timeout:g} s"
            case http.client.IncompleteRead() | http.client.HTTPException() | ConnectionError() | ssl.SSLEOFError():
                message = f"{self._access} broke the connection off before its answer was complete"
            case _:
                message = f"{self._access} cannot be reached: {error.strerror or 'no reason given'}"
        return Unreachable(message, where=where, hint=_HINTS.get(type(error), CHECK), transient=transient)


_HINTS: Mapping[type[BaseException], str] = {
    socket.gaierror: "check the vCenter's name and the DNS servers of this machine",
}


def _readable(connected: socket.socket, seconds: float) -> bool:
    waiting = select.poll()
    waiting.register(connected, select.POLLIN)
    pending = isinstance(connected, ssl.SSLSocket) and connected.pending() > 0
    return pending or bool(waiting.poll(seconds * 1000))


def _read(response: http.client.HTTPResponse) -> Answer:
    body = response.read()
    if (response.getheader("Content-Encoding") or "").lower() == "gzip":
        body = gzip.decompress(body)
    cookies = (cookie.partition(";")[0] for cookie in response.headers.get_all("Set-Cookie") or ())
    return Answer(response.status, response.reason, "; ".join(cookies), body)
