"""HTTP to one vCenter: kept connections, one for each caller at a time, which end when a run is stopped."""

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

from aiinfra.dataclass import dataclass
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
def stopping_with(stop: threading.Event) -> Iterator[None]:
    """Let this thread's requests end with `Stopped` when `stop` is set, as one session serves many steps."""
    token = _step.set(stop)
    try:
        yield
    finally:
        _step.reset(token)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, read to its end."""

    status: int
    reason: str
    cookies: str
    """All cookies that it sets, as a request sends them."""
    body: bytes


class Connections:
    """A thread-safe pool of connections.

    Raises `Unreachable`, `Untrusted`, and `Stopped` when `stop` is set while an answer is awaited.
    """

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

    def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], *, repeatable: bool
    ) -> Response:
        """Send one request and return its response.

        With `repeatable` it is sent again, once, when a kept connection turns out to be closed.
        """
        try:
            if idle := self._idle_connection():
                try:
                    return self._exchange(idle, method, path, body, headers)
                except DROPPED:
                    self.close()
                    if not repeatable:
                        raise
            return self._exchange(self._new_connection(), method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._connection_error(error) from error

    def _idle_connection(self) -> http.client.HTTPSConnection | None:
        """Return an idle connection that its server has not closed: nothing can be read from it before a request."""
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
    ) -> Response:
        try:
            connection.request(method, path, body, dict(headers))
            self._await(connection.sock)
            response = connection.getresponse()
            read = _read(response)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not response.will_close and len(self._idle) < KEPT:
                self._idle.append(connection)
                return read
        connection.close()
        return read

    def _await(self, connected: socket.socket) -> None:
        """Wait until the response begins. A stop from before the request is ignored, so that clean-up can finish."""
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

    def _new_connection(self) -> http.client.HTTPSConnection:
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

    def _connection_error(self, error: OSError | http.client.HTTPException) -> Unreachable:
        where, transient = str(self._access), True
        match error:
            case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):
                return tls.trust_error(error, self._access)
            case socket.gaierror():
                message = f"the name {self._access.host} cannot be resolved"
                transient = error.errno == socket.EAI_AGAIN
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


def _read(response: http.client.HTTPResponse) -> Response:
    body = response.read()
    if (response.getheader("Content-Encoding") or "").lower() == "gzip":
        body = gzip.decompress(body)
    cookies = (cookie.partition(";")[0] for cookie in response.headers.get_all("Set-Cookie") or ())
    return Response(response.status, response.reason, "; ".join(cookies), body)
