"""A TLS socket whose peer goes before the handshake is closed, and not left to garbage collection."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
import warnings

import pytest

from aiinfra.tls_socket import TlsSocket
from aiinfra.waiting import Pending, Waiter

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, no time: a close is a reset."""


def reset_connection() -> socket.socket:
    """Return a connection that its server has reset."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        accepted.close()

    def gone() -> Pending | bool:
        try:
            client.getpeername()
        except OSError:
            return True
        return Pending("the reset")

    Waiter(5, every=0.01).until(gone)
    return client


def test_it_is_closed_where_the_standard_one_stays_open() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = TlsSocket
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with pytest.raises(ConnectionResetError):
            context.wrap_socket(reset_connection(), server_hostname="localhost")
        gc.collect()
    assert [str(warning.message) for warning in heard if warning.category is ResourceWarning] == []
