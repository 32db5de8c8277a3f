"""Requests to one API server: JSON over keep-alive connections, refusals as typed errors, streams that can be ended."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress

import httpx

from aiinfra.kube.errors import from_status, from_transport
from aiinfra.kube.kubeconfig import Access
from aiinfra.kube.login import Login
from aiinfra.kube.objects import Object
from aiinfra.waiting import Pending, TimedOut, Waiter

CONNECTIONS = 8
"""Requests that one set of objects runs at once."""
WATCH_SECONDS = 240
"""How long one watch connection lasts before it is renewed."""
AGENT = "aiinfra"

Query = Mapping[str, str]


class Transport:
    """Thread-safe. `timeout` is seconds for one request."""

    def __init__(self, access: Access, timeout: float) -> None:
        self.server = access.server
        self._timeout = timeout
        self._login = Login(access)
        self._http = httpx.Client(
            base_url=access.server,
            verify=access.tls,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=CONNECTIONS * 2),
            proxy=access.proxy or None,
            trust_env=False,
            headers={"Accept": "application/json", "User-Agent": AGENT},
        )

    def close(self) -> None:
        self._http.close()

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
        headers = {"Accept": accept, **({"Content-Type": content} if data else {})}
        given = {key: value for key, value in (query or {}).items() if value}

        def ask() -> httpx.Response | Pending:
            response = self._answer(method, path, data, given, headers)
            return Pending(f"{self.server} asks to slow down") if response.status_code == 429 else response

        try:
            response = Waiter(self._timeout, every=1).until(ask)
        except TimedOut as error:
            raise from_status(429, {"message": error.last}, self.server, about) from error
        raw = _parsed(response)
        if response.is_success:
            return raw
        raise from_status(response.status_code, raw, self.server, about)

    def _answer(self, method: str, path: str, data: bytes | None, query: Query, headers: Query) -> httpx.Response:
        """Sends again, once, when a kept connection turned out to be closed, and when a login had expired."""
        for last in (False, True):
            try:
                response = self._http.request(
                    method, path, content=data, params=query, headers={**headers, **self._login.headers()}
                )
            except httpx.RemoteProtocolError as error:
                if last:
                    raise from_transport(error, self.server) from error
                continue
            except httpx.TransportError as error:
                raise from_transport(error, self.server) from error
            if response.status_code == 401 and not last and self._login.renew():
                continue
            return response
        raise AssertionError("unreachable")

    def watch(self, path: str, labels: str, version: str, stop: threading.Event) -> Iterator[tuple[str, Object]]:
        """Events of one connection, bookmarks included, until it ends. Raises `Expired` for a version too old."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        query |= {"labelSelector": labels} if labels else {}
        query |= {"resourceVersion": version} if version else {}
        timeout = httpx.Timeout(self._timeout, read=WATCH_SECONDS + 30)
        try:
            with self._http.stream("GET", path, params=query, headers=self._login.headers(), timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise from_status(answer.status_code, _parsed(answer), self.server, path)
                _end_when(stop, answer)
                yield from map(_event, filter(None, answer.iter_lines()))
        except httpx.TransportError as error:
            if stop.is_set():
                return
            if not isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
                raise from_transport(error, self.server) from error


def _parsed(response: httpx.Response) -> Object:
    with suppress(ValueError):
        raw = response.json()
        if isinstance(raw, dict):
            return raw
    return {"message": response.text.strip()[:500]}


def _event(line: str) -> tuple[str, Object]:
    raw = json.loads(line)
    if raw["type"] == "ERROR":
        status = raw["object"]
        raise from_status(int(status.get("code") or 500), status, "watch", "watch")
    return raw["type"], raw["object"]


def _end_when(stop: threading.Event, answer: httpx.Response) -> None:
    """Wake the reader of an idle stream when `stop` is set: only a shutdown of its socket does."""
    stream: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")

    def end() -> None:
        if stop.wait(WATCH_SECONDS + 30):
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=end, name="watch-end", daemon=True).start()
