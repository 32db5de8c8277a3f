"""A small client of the Kubernetes API: JSON over keep-alive connections, typed errors, one cluster each."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

from aiinfra.domains.kubernetes.client import kubeconfig
from aiinfra.domains.kubernetes.client.discovery import Discovery
from aiinfra.domains.kubernetes.client.errors import Expired, Invalid, NoSuchKind, NotFound, not_kubernetes
from aiinfra.domains.kubernetes.client.objects import ApiResource, Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import Query, Transport

FIELD_MANAGER = "aiinfra"
PAGE = 500

METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"

Propagation = Literal["Background", "Foreground", "Orphan"]
Validation = Literal["Strict", "Ignore"]
PatchType = Literal["merge", "json", "apply"]
_PATCH_CONTENT: Mapping[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class KubeClient:
    """A client of one cluster, safe to use from several threads. Every method raises `KubeError` or a subclass."""

    def __init__(self, access: kubeconfig.Access, *, timeout: float = 30) -> None:
        self.server = access.server
        self._transport = Transport(access, timeout)
        self._discovery = Discovery(self._fetch, access.server)

    @classmethod
    def from_kubeconfig(cls, text: str, *, timeout: float = 30) -> Self:
        """Return the client for a kubeconfig; `timeout` is seconds for one request. Raises `KubeconfigInvalid`."""
        return cls(kubeconfig.parse(text), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def get(self, ref: ObjectRef) -> Object | None:
        """Return the object, or None when it or its kind does not exist."""
        try:
            return self._transport.json("GET", self._path(ref), about=str(ref))
        except NotFound:
            return None

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Return all objects of a kind with their apiVersion and kind, of all namespaces when `namespace` is None."""
        path = self._discovery.find(api_version, kind).path(namespace or "")
        own = {"apiVersion": api_version, "kind": kind}
        return [{**own, **item} for item in self._pages(path, {"labelSelector": labels, "fieldSelector": fields})]

    def apply(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
        validation: Validation = "Strict",
    ) -> Object:
        """Apply an object server-side and return it as stored. `validation` decides what happens to unknown fields."""
        query = {"fieldManager": field_manager, "fieldValidation": validation, "force": str(force).lower()}
        query |= {"dryRun": "All"} if dry_run else {}
        ref = ObjectRef.of(obj)
        return self._transport.json(
            "PATCH", self._path(ref), body=obj, query=query, about=str(ref), content=_PATCH_CONTENT["apply"]
        )

    def create(self, obj: Mapping[str, Any], *, field_manager: str = FIELD_MANAGER, dry_run: bool = False) -> Object:
        """Create an object, also by `metadata.generateName`. Raises `Conflict` when it exists."""
        metadata = obj["metadata"]
        name = metadata.get("name") or metadata["generateName"]
        ref = ObjectRef(obj["apiVersion"], obj["kind"], name, metadata.get("namespace") or "")
        path = self._discovery.find(ref.api_version, ref.kind).path(ref.namespace)
        query = {"fieldManager": field_manager, "fieldValidation": "Strict"}
        query |= {"dryRun": "All"} if dry_run else {}
        return self._transport.json("POST", path, body=obj, query=query, about=str(ref))

    def replace(self, obj: Mapping[str, Any], *, subresource: str = "", field_manager: str = FIELD_MANAGER) -> Object:
        ref = ObjectRef.of(obj)
        query = {"fieldManager": field_manager, "fieldValidation": "Strict"}
        return self._transport.json("PUT", self._path(ref, subresource), body=obj, query=query, about=str(ref))

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
        return self._transport.json("PATCH", path, body=body, query=query, about=str(ref), content=_PATCH_CONTENT[type])

    def delete(
        self,
        ref: ObjectRef,
        *,
        propagation: Propagation = "Background",
        uid: str = "",
    ) -> bool:
        """Request deletion and return whether the object existed. Raises `Conflict` when its uid is not `uid`."""
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        body |= {"preconditions": {"uid": uid}} if uid else {}
        try:
            self._transport.json("DELETE", self._path(ref), body=body, about=str(ref))
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
        """Yield changes as `("ADDED"|"MODIFIED"|"DELETED", object)` until `stop` is set.

        Without `resource_version` it starts with an ADDED for each object that exists. Connections that end are
        resumed where they ended; when that is too old, `("RESET", {})` comes first and all objects are ADDED again.
        Raises `Unreachable` when the server does not answer.
        """
        path = self._discovery.find(api_version, kind).path(namespace or "")
        stop = stop or threading.Event()
        version = resource_version
        while not stop.is_set():
            try:
                for event, obj in self._transport.watch(path, labels, version, stop):
                    version = obj.get("metadata", {}).get("resourceVersion", version)
                    if event != "BOOKMARK":
                        yield event, {"apiVersion": api_version, "kind": kind, **obj}
            except Expired:
                version = ""
                yield "RESET", {}

    def resources(self, *, refresh: bool = False) -> Sequence[ApiResource]:
        """Return every resource type that is served, in its preferred version; cached until `refresh`."""
        return self._discovery.resources(refresh=refresh)

    def silent_apis(self) -> Sequence[str]:
        """Return the APIs whose own servers did not answer when `resources` was asked last: `metrics.k8s.io/v1`."""
        return self._discovery.silent

    def resource(self, api_version: str, kind: str) -> ApiResource:
        """Return the resource type of a kind. Raises `NoSuchKind`."""
        return self._discovery.find(api_version, kind)

    def serves(self, api_version: str, kind: str) -> bool:
        """Return whether the server serves the kind now."""
        try:
            self._discovery.find(api_version, kind)
        except NoSuchKind:
            return False
        return True

    def metadata(self, resource: ApiResource, namespace: str = "", labels: str = "") -> Sequence[Object]:
        """Return the metadata of all objects of a type, with their apiVersion and kind and without their bodies."""
        own = {"apiVersion": resource.api_version, "kind": resource.kind}
        return [{**item, **own} for item in self._pages(resource.path(namespace), {"labelSelector": labels}, METADATA)]

    def version(self) -> str:
        """Return the server's version, such as `v1.36.3`."""
        return str(self._fetch("/version", "application/json")["gitVersion"])

    def cluster_uid(self) -> str:
        """Return the uid of the `kube-system` namespace, which is the cluster's identity."""
        ref = ObjectRef("v1", "Namespace", "kube-system")
        found = self._transport.json("GET", "/api/v1/namespaces/kube-system", about=str(ref))
        uid = (found.get("metadata") or {}).get("uid")
        if not uid:
            raise not_kubernetes(self.server)
        return str(uid)

    def log(
        self, pod: ObjectRef, container: str, *, previous: bool, lines: int, most_bytes: int, timeout: float
    ) -> str:
        """Return the last lines of a container's log; with `previous` of the one before its last restart.

        `timeout` is seconds. Raises `KubeError` also when the node's kubelet does not give it.
        """
        query = {"container": container, "tailLines": str(lines), "limitBytes": str(most_bytes)}
        query |= {"previous": "true"} if previous else {}
        return self._transport.text(self._path(pod, "log"), query, about=f"log of {pod}", timeout=timeout)

    def raw(self, method: str, path: str, *, query: Query | None = None, accept: str = "application/json") -> Object:
        """Send a request by its path, for the few that no method above covers."""
        return self._transport.json(method, path, query=query, about=path, accept=accept)

    def _pages(self, path: str, query: Query, accept: str = "application/json") -> Iterator[Object]:
        parameters = {**query, "limit": str(PAGE)}
        while True:
            page = self._transport.json("GET", path, query=parameters, about=f"list of {path}", accept=accept)
            yield from page.get("items") or ()
            if not (more := page.get("metadata", {}).get("continue")):
                return
            parameters["continue"] = more

    def _path(self, ref: ObjectRef, subresource: str = "") -> str:
        resource = self._discovery.find(ref.api_version, ref.kind)
        if resource.namespaced and not ref.namespace:
            raise Invalid(f"{ref} names no namespace", where=str(ref), hint="give metadata.namespace")
        return resource.path(ref.namespace, quote(ref.name, safe=""), subresource)

    def _fetch(self, path: str, accept: str) -> Object:
        return self._transport.json("GET", path, about=path, accept=accept)
