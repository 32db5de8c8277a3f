"""A small client of the Kubernetes API: JSON over keep-alive connections, typed refusals, one cluster each."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from aiinfra.kube import kubeconfig
from aiinfra.kube.discovery import Discovery
from aiinfra.kube.errors import Expired, NotFound, from_status, from_transport
from aiinfra.kube.login import Login
from aiinfra.kube.objects import ApiResource, Object, ObjectRef
from aiinfra.waiting import Pending, TimedOut, Waiter

FIELD_MANAGER = "aiinfra"
CONNECTIONS = 8
PAGE = 500
WATCH_SECONDS = 240
"""How long one watch connection lasts before it is renewed."""

Query = Mapping[str, str]
Propagation = Literal["Background", "Foreground", "Orphan"]
PatchType = Literal["merge", "json", "apply"]
_PATCH_CONTENT: Mapping[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class KubeClient:
    """Safe to use from several threads. Every method raises `KubeError` and its families."""

    def __init__(self, access: kubeconfig.Access, *, timeout: float = 30) -> None:
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
            headers={"Accept": "application/json", "User-Agent": FIELD_MANAGER},
        )
        self._discovery = Discovery(self._fetch, access.server)

    @classmethod
    def from_kubeconfig(cls, text: str, *, timeout: float = 30) -> Self:
        """`timeout` is seconds for one request. Raises `KubeconfigInvalid`; connects to nothing yet."""
        return cls(kubeconfig.parse(text), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, ref: ObjectRef) -> Object | None:
        """The object, or None when it, or its kind, does not exist."""
        try:
            return self._json("GET", self._path(ref), about=str(ref))
        except NotFound:
            return None

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """All objects of a kind, in all namespaces when `namespace` is None; each with its apiVersion and kind."""
        path = self._discovery.find(api_version, kind).path(namespace or "")
        query = {"limit": str(PAGE), "labelSelector": labels, "fieldSelector": fields}
        items: list[Object] = []
        while True:
            page = self._json("GET", path, query=query, about=f"list of {kind}")
            items += ({"apiVersion": api_version, "kind": kind, **item} for item in page.get("items") or ())
            if not (more := page.get("metadata", {}).get("continue")):
                return items
            query["continue"] = more

    def apply(
        self, obj: Mapping[str, Any], *, field_manager: str = FIELD_MANAGER, force: bool = False, dry_run: bool = False
    ) -> Object:
        """Server-side apply with strict field validation; the object as the server keeps it."""
        query = {"fieldManager": field_manager, "fieldValidation": "Strict", "force": str(force).lower()}
        query |= {"dryRun": "All"} if dry_run else {}
        ref = ObjectRef.of(obj)
        return self._json(
            "PATCH", self._path(ref), body=obj, query=query, about=str(ref), content=_PATCH_CONTENT["apply"]
        )

    def create(self, obj: Mapping[str, Any], *, field_manager: str = FIELD_MANAGER) -> Object:
        """Raises `Conflict` when it exists. `metadata.generateName` may stand for the name."""
        metadata = obj["metadata"]
        name = metadata.get("name") or metadata["generateName"]
        ref = ObjectRef(obj["apiVersion"], obj["kind"], name, metadata.get("namespace") or "")
        path = self._discovery.find(ref.api_version, ref.kind).path(ref.namespace)
        query = {"fieldManager": field_manager, "fieldValidation": "Strict"}
        return self._json("POST", path, body=obj, query=query, about=str(ref))

    def replace(self, obj: Mapping[str, Any], *, subresource: str = "", field_manager: str = FIELD_MANAGER) -> Object:
        ref = ObjectRef.of(obj)
        query = {"fieldManager": field_manager, "fieldValidation": "Strict"}
        return self._json("PUT", self._path(ref, subresource), body=obj, query=query, about=str(ref))

    def patch(
        self,
        ref: ObjectRef,
        body: object,
        *,
        type: PatchType = "merge",
        subresource: str = "",
        field_manager: str = FIELD_MANAGER,
        force: bool = False,
    ) -> Object:
        """`body` is an object for `merge` and `apply`, a list of operations for `json`."""
        query = {"fieldManager": field_manager, "fieldValidation": "Strict"}
        query |= {"force": str(force).lower()} if type == "apply" else {}
        path = self._path(ref, subresource)
        return self._json("PATCH", path, body=body, query=query, about=str(ref), content=_PATCH_CONTENT[type])

    def delete(
        self,
        ref: ObjectRef,
        *,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
        uid: str = "",
    ) -> bool:
        """Ask for deletion; True when it was there. With `uid`, another object of that name raises `Conflict`."""
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        body |= {"preconditions": {"uid": uid}} if uid else {}
        try:
            self._json("DELETE", self._path(ref), body=body, about=str(ref))
        except NotFound:
            return False
        return True

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str = "",
        resource_version: str = "",
        stop: threading.Event | None = None,
    ) -> Iterator[tuple[str, Object]]:
        """Changes as `("ADDED"|"MODIFIED"|"DELETED", object)` until `stop` is set.

        Without `resource_version` it starts with an ADDED for each object that exists. Connections that end are
        renewed where they stood; when that is too old, `("RESET", {})` comes first and all objects are ADDED again.
        Raises `Unreachable` when the server does not answer.
        """
        path = self._discovery.find(api_version, kind).path(namespace or "")
        stop = stop or threading.Event()
        version = resource_version
        while not stop.is_set():
            try:
                for event, obj in self._watch_once(path, labels, version, stop):
                    version = obj.get("metadata", {}).get("resourceVersion", version)
                    if event != "BOOKMARK":
                        yield event, {"apiVersion": api_version, "kind": kind, **obj}
            except Expired:
                version = ""
                yield "RESET", {}

    def resources(self, *, refresh: bool = False) -> Sequence[ApiResource]:
        """Every resource type that is served, in its preferred version; kept until `refresh`."""
        return self._discovery.resources(refresh=refresh)

    def resource(self, api_version: str, kind: str) -> ApiResource:
        """Raises `NoSuchKind`."""
        return self._discovery.find(api_version, kind)

    def version(self) -> str:
        """`v1.36.3`."""
        return str(self._fetch("/version", "application/json")["gitVersion"])

    def cluster_uid(self) -> str:
        """uid of the `kube-system` namespace: the cluster's identity."""
        ref = ObjectRef("v1", "Namespace", "kube-system")
        return str(self._json("GET", "/api/v1/namespaces/kube-system", about=str(ref))["metadata"]["uid"])

    def raw(self, method: str, path: str, *, query: Query | None = None, accept: str = "application/json") -> Object:
        """Any request by its path; for the few that no method above covers."""
        return self._json(method, path, query=query, about=path, accept=accept)

    def _path(self, ref: ObjectRef, subresource: str = "") -> str:
        return self._discovery.find(ref.api_version, ref.kind).path(
            ref.namespace, quote(ref.name, safe=""), subresource
        )

    def _fetch(self, path: str, accept: str) -> Object:
        return self._json("GET", path, about=path, accept=accept)

    def _json(
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

    def _watch_once(self, path: str, labels: str, version: str, stop: threading.Event) -> Iterator[tuple[str, Object]]:
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
