"""The TCP relays between clients and API servers, one a cluster; `api-partition` shuts them.

While a relay is shut, connections through it are reset and new ones are refused; its port stays reserved. The lab's own
processes (controller-manager, scheduler, kwok, controllers) do not use it and keep working.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

LOOPBACK: Final = "127.0.0.1"
_NO_LINGER: Final = struct.pack("ii", 1, 0)
T = TypeVar("T")


def reserve_port() -> socket.socket:
    """Return a bound socket that nobody listens on: only our own SO_REUSEPORT sockets can use its port."""
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind((LOOPBACK, 0))
    return reserved


def port_of(reserved: socket.socket) -> int:
    return int(reserved.getsockname()[1])


class _End(asyncio.Protocol):
    """One end of a relayed connection: received data goes to `peer`, and reading pauses while the peer is slow."""

    def __init__(self, ends: set[_End]) -> None:
        self._ends = ends
        self.transport: asyncio.Transport | None = None
        self.peer: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ends.add(self)

    def reset(self) -> None:
        """End the connection by RST, at once."""
        if self.transport:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.write(data)

    def pause_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ends.discard(self)
        if self.peer and self.peer.transport:
            self.peer.transport.close()


class _Inbound(_End):
    """The client's end. Data that arrives before the API server is connected is kept.

    Python 3.11.2, for one, reads on after a `pause_reading` in `connection_made`.
    """

    def __init__(self, ends: set[_End], target: int) -> None:
        super().__init__(ends)
        self._target = target
        self._early = b""
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport
        self.transport.pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        assert self.transport
        outbound = _End(self._ends)
        outbound.peer = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: outbound, LOOPBACK, self._target)
        except OSError:
            self.reset()
            return
        self.peer = outbound
        self.data_received(self._early)
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.peer is None:
            self._early += data
        elif data:
            super().data_received(data)


class Relay:
    """The relay to the API server of one cluster."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._reserved = reserve_port()
        self.port = port_of(self._reserved)
        self._server: asyncio.Server | None = None
        self._ends: set[_End] = set()

    async def open(self) -> None:
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: _Inbound(self._ends, self._target), LOOPBACK, self.port, reuse_port=True
            )

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            end.reset()

    def release(self) -> None:
        """Release the reserved port."""
        self._reserved.close()


class Relays:
    """All relays of a lab, served by one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._relays: dict[str, Relay] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._thread.start()

    def add(self, cluster: str, target: int) -> int:
        """Open a relay to the API server on port `target` and return the port of the relay."""
        relay = self._relays[cluster] = Relay(target)
        self._run(relay.open())
        return relay.port

    def remove(self, cluster: str) -> None:
        relay = self._relays.pop(cluster, None)
        if relay:
            self._run(relay.shut())
            relay.release()

    def shut_only(self, clusters: frozenset[str]) -> None:
        """Shut the relays of these clusters, and open all others."""
        for name, relay in list(self._relays.items()):
            self._run(relay.shut() if name in clusters else relay.open())

    def close(self) -> None:
        """Shut all relays for good."""
        for name in list(self._relays):
            self.remove(name)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
