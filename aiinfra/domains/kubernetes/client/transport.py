"""Requests to one API server: JSON in, JSON or a typed refusal out, streams that can be ended."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import quote, urlencode

from aiinfra.domains.kubernetes.client.errors import Unreachable, from_status, from_transport
from aiinfra.domains.kubernetes.client.kubeconfig import Access
from aiinfra.domains.kubernetes.client.login import Login
from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.client.pool import DROPPED, Pool, Response
from aiinfra.waiting import Pending, TimedOut, Waiter

CONNECTIONS = 8
"""Requests that one set of objects runs at once."""
WATCH_SECONDS = 240
"""How long one watch connection lasts before it is renewed."""
AGENT = "aiinfra"
AWAY = frozenset({502, 503, 504})
"""Statuses of a server, or of a load balancer before it, that cannot answer now."""

Query = Mapping[str, str]


class Transport:
    """Thread-safe. `timeout` is seconds for one request."""

    def __init__(self, access: Access, timeout: float) -> None:
        self.server = access.server
        self._way = f"{access.server} through the proxy {_bare(access.proxy)}" if access.proxy else access.server
        self._timeout = timeout
        self._login = Login(access)
        self._pool = Pool(access, timeout, CONNECTIONS * 2)

    def close(self) -> None:
        self._pool.close()

    def json(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Query | None = None,
        about: str = "",
        content: str = "application/json",
        accept: str = "application/json",
    ) -> Object:
        """One request; waits out `429 Too Many Requests` within the timeout."""
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Accept": accept, "User-Agent": AGENT, **({"Content-Type": content} if data else {})}
        target = _target(path, query or {})

        def ask() -> Response | Pending:
            answer = self._answer(method, target, data, headers)
            return Pending(f"{self.server} asks to slow down") if answer.status == 429 else answer

        try:
            answer = Waiter(self._timeout, every=1).until(ask)
        except TimedOut as error:
            raise from_status(429, {"message": error.last}, self.server, about) from error
        raw = _parsed(answer.body)
        if answer.status < 300:
            return raw
        raise from_status(answer.status, raw, self.server, about)

    def text(self, path: str, query: Query, *, about: str, timeout: float) -> str:
        """Return the body of a GET as text. `timeout` is seconds for this request."""
        try:
            with self._pool.stream(_target(path, query), {**self._headers(), "Accept": "*/*"}, timeout) as (answer, _):
                body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        if answer.status >= 300:
            raise from_status(answer.status, _parsed(body), self.server, about)
        return body.decode(errors="replace")

    def watch(self, path: str, labels: str, version: str, stop: threading.Event) -> Iterator[tuple[str, Object]]:
        """Events of one connection, bookmarks included, until it ends. Raises `Expired` for a version too old."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        target = _target(path, {**query, "labelSelector": labels, "resourceVersion": version})
        connected = False
        try:
            with self._pool.stream(target, self._headers(), WATCH_SECONDS + 30) as (response, stream):
                connected = True
                if response.status >= 300:
                    raise from_status(response.status, _parsed(response.read()), self.server, path)
                _end_when(stop, stream)
                yield from map(_event, _whole_lines(response))
        except (OSError, http.client.HTTPException) as error:
            if not connected and not stop.is_set():
                raise self._unreachable(error) from error

    def _answer(self, method: str, target: str, data: bytes | None, headers: Query) -> Response:
        """Asks again, once, when a login had expired, and what only reads when the server was away for a moment."""
        try:
            answer = self._ask(method, target, data, headers)
            if answer.status == 401 and self._login.renew():
                self._pool.drop_idle()
                answer = self._ask(method, target, data, headers)
            if answer.status in AWAY and method == "GET":
                answer = self._ask(method, target, data, headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        return answer

    def _ask(self, method: str, target: str, data: bytes | None, headers: Query) -> Response:
        """A question that was cut off is asked once more; what changes something may have arrived, so it is not."""
        given = {**headers, **self._login.headers()}
        try:
            return self._pool.ask(method, target, data, given)
        except DROPPED:
            if method != "GET":
                raise
            return self._pool.ask(method, target, data, given)

    def _headers(self) -> Query:
        return {"Accept": "application/json", "User-Agent": AGENT, **self._login.headers()}

    def _unreachable(self, error: OSError | http.client.HTTPException) -> Unreachable:
        return from_transport(error, self._way)


def _bare(proxy: str) -> str:
    """Without user and password."""
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _target(path: str, query: Query) -> str:
    given = {key: value for key, value in query.items() if value}
    return f"{path}?{urlencode(given, quote_via=quote)}" if given else path


def _parsed(body: bytes) -> Object:
    with suppress(ValueError):
        raw = json.loads(body)
        if isinstance(raw, dict):
            return raw
    return {"message": body.decode(errors="replace").strip()[:500]}


def _whole_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out empty lines, and the beginning of one that a connection ended with."""
    return (line for line in lines if line.endswith(b"\n") and line.strip())


def _event(line: bytes) -> tuple[str, Object]:
    raw = json.loads(line)
    if raw["type"] == "ERROR":
        status = raw["object"]
        raise from_status(int(status.get("code") or 500), status, "watch", "watch")
    return raw["type"], raw["object"]


def _end_when(stop: threading.Event, stream: socket.socket) -> None:
    """Wake the reader of an idle stream when `stop` is set: only a shutdown of its socket does."""

    def end() -> None:
        if stop.wait(WATCH_SECONDS + 30):
            with suppress(OSError):
                socket.socket.shutdown(stream, socket.SHUT_RDWR)  # that of TLS would let ciphertext be read as text

    threading.Thread(target=end, name="watch-end", daemon=True).start()
