"""The nouns of a Kubernetes API: references to objects, and the resource types a server offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from aiinfra.dataclass import dataclass

Object = dict[str, Any]
"""One Kubernetes object as the API server writes it in JSON."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """A reference to one object. `namespace` is empty for cluster-scoped objects."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Self:
        """Return the reference to an object. Raises `KeyError` when it has no apiVersion, kind or name."""
        metadata = obj["metadata"]
        return cls(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace") or "")

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Return the reference that `{apiVersion, kind, name, namespace?}` describes."""
        return cls(raw["apiVersion"], raw["kind"], raw["name"], raw.get("namespace") or "")

    def as_json(self) -> dict[str, str]:
        place = {"namespace": self.namespace} if self.namespace else {}
        return {"apiVersion": self.api_version, "kind": self.kind, "name": self.name, **place}

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def __str__(self) -> str:
        """Return `Deployment gpu-operator/gpu-operator` or `ClusterPolicy cluster-policy`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class ApiResource:
    """A resource type that the API server serves."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def root(self) -> str:
        """The path of the API group and version: `/api/v1` or `/apis/apps/v1`."""
        return f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        tail = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{self.root}{place}/{self.plural}{tail}"
