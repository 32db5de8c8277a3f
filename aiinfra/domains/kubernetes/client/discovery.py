"""Which resource types an API server serves: cached, and asked again when a kind is missing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.client.errors import NoSuchKind, NotFound
from aiinfra.domains.kubernetes.client.objects import ApiResource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Discovery:
    """Resource types of one server. `get(path, accept)` fetches JSON from it and raises `NotFound`."""

    def __init__(self, get: Callable[[str, str], Mapping[str, Any]], server: str) -> None:
        self._get, self._server = get, server
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        """By version: what several threads miss at once is asked for once."""
        self._by_version: dict[str, dict[str, ApiResource]] = {}
        self._all: Sequence[ApiResource] = ()
        self.silent: Sequence[str] = ()
        """Versions of groups whose own servers did not answer when `resources` was last asked: `metrics.k8s.io/v1`."""

    def find(self, api_version: str, kind: str) -> ApiResource:
        """Return the resource type of a kind. Raises `NoSuchKind` when the server, asked again, does not serve it."""
        before = self._by_version.get(api_version, {})
        if known := before.get(kind):
            return known
        with self._asking.setdefault(api_version, threading.Lock()):
            served = self._by_version.get(api_version, {})
            if served is before or not served:
                served = self._by_version[api_version] = self._version(api_version)
        if found := served.get(kind):
            return found
        raise NoSuchKind(
            f"{self._server} serves no kind {kind} in {api_version}: "
            "its CustomResourceDefinition is absent or not established",
            where=f"{api_version} {kind}",
            status=404,
        )

    def forget(self) -> None:
        with self._lock:
            self._by_version.clear()
            self._all = ()

    def resources(self, *, refresh: bool = False) -> Sequence[ApiResource]:
        """Return every resource type in its preferred version, without subresources."""
        with self._lock:
            if refresh or not self._all:
                documents = [self._get(path, AGGREGATED) for path in ("/api", "/apis")]
                groups = [group for document in documents for group in document.get("items", ())]
                self._all = tuple(resource for group in groups for resource in _preferred(group))
                self.silent = tuple(version for group in groups for version in _stale(group))
            return self._all

    def _version(self, api_version: str) -> dict[str, ApiResource]:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            raw = self._get(path, "application/json")
        except NotFound:
            return {}
        served = [r for r in raw.get("resources", ()) if "/" not in r["name"]]
        return {r["kind"]: _resource(api_version, r["kind"], r["name"], r["namespaced"], r["verbs"]) for r in served}


def _resource(api_version: str, kind: str, plural: str, namespaced: bool, verbs: Sequence[str]) -> ApiResource:
    return ApiResource(api_version, kind, plural, namespaced, frozenset(verbs))


def _stale(group: Mapping[str, Any]) -> list[str]:
    """Return the versions that an aggregated API server did not describe (k8s.io/api apidiscovery, `Freshness`)."""
    name, versions = group.get("metadata", {}).get("name", ""), group.get("versions", ())
    return [f"{name}/{one['version']}" for one in versions if one.get("freshness") == "Stale"]


def _preferred(group: Mapping[str, Any]) -> list[ApiResource]:
    """Return the types of a group, each in the first version that serves it, which is the preferred one."""
    name = group.get("metadata", {}).get("name", "")
    found: dict[str, ApiResource] = {}
    for version in group.get("versions", ()):
        api_version = f"{name}/{version['version']}" if name else version["version"]
        for raw in version.get("resources", ()):
            kind = raw.get("responseKind", {}).get("kind", "")
            resource = _resource(api_version, kind, raw["resource"], raw["scope"] == "Namespaced", raw["verbs"])
            found.setdefault(raw["resource"], resource)
    return list(found.values())
