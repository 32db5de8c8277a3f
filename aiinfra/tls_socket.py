"""A TLS socket that is closed when its peer went before the handshake."""

from __future__ import annotations

import errno
import ssl
from typing import Any, Final

_EXPECTED: Final = frozenset({errno.ENOTCONN, errno.EINVAL})
"""What the standard class goes on after, when it looks whether it is connected."""


class TlsSocket(ssl.SSLSocket):
    """Set it as `SSLContext.sslsocket_class`.

    The standard class looks whether it is connected before it begins, and passes on what it sees of a peer that has
    reset the connection, with itself open (CPython, `SSLSocket._create`).
    """

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError as error:
            self._close_unless_expected(error)
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except OSError as error:
            self._close_unless_expected(error)
            raise

    def _close_unless_expected(self, error: OSError) -> None:
        if self.version() is None and error.errno not in _EXPECTED:
            self.close()
