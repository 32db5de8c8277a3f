"""What the controllers know of one cluster: its objects as the watches last saw them. Read only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from aiinfra.dataclass import dataclass

Object = dict[str, Any]

BUILT_IN: Mapping[str, str] = {
    "Node": "v1",
    "Pod": "v1",
    "Namespace": "v1",
    "ConfigMap": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "DaemonSet": "apps/v1",
    "PodDisruptionBudget": "policy/v1",
    "Deployment": "apps/v1",
    "RuntimeClass": "node.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
}
"""Kinds that every API server serves, with their API versions; any other kind is a custom one."""


def built_in(*kinds: str) -> dict[str, str]:
    """Return these kinds with their API versions."""
    return {kind: BUILT_IN[kind] for kind in kinds}


def name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def namespace(obj: Object) -> str:
    return str(obj["metadata"].get("namespace") or "")


def uid(obj: Object) -> str:
    return str(obj["metadata"].get("uid") or "")


def labels(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def annotation(obj: Object, key: str) -> str:
    """Return the value of an annotation; empty when it is absent."""
    return str((obj["metadata"].get("annotations") or {}).get(key, ""))


def deleting(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def has_labels(obj: Object, selector: Mapping[str, str]) -> bool:
    return selector.items() <= labels(obj).items()


def condition(obj: Object, kind: str) -> str:
    """Return the status of a condition; empty when it is absent."""
    found = (c["status"] for c in obj.get("status", {}).get("conditions") or () if c["type"] == kind)
    return next(found, "")


def pod_ready(pod: Object) -> bool:
    return condition(pod, "Ready") == "True" and not deleting(pod)


def timestamp(now: datetime) -> str:
    """Return a time as Kubernetes writes it: UTC, whole seconds."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class View:
    """One moment of a cluster. `by_kind` has the kinds that are watched, custom ones while they are served."""

    by_kind: Mapping[str, Sequence[Object]]
    gone: frozenset[str] = frozenset()
    """uids of objects of custom kinds whose deletion was seen."""
    listed: frozenset[str] = frozenset()
    """Kinds of which all objects were seen."""
    watched: Mapping[str, str] = field(default_factory=dict)
    """The kinds that some controller watches, with their API versions."""
    _pods_by_node: dict[str, list[Object]] = field(default_factory=dict)
    _by_name: dict[str, dict[tuple[str, str], Object]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether absence means anything yet: every kind that is served has been listed."""
        return self.listed >= {kind for kind in self.watched if kind in BUILT_IN or self.serves(kind)}

    def of(self, kind: str) -> Sequence[Object]:
        return self.by_kind.get(kind, ())

    @property
    def nodes(self) -> Sequence[Object]:
        return self.of("Node")

    @property
    def pods(self) -> Sequence[Object]:
        return self.of("Pod")

    def pods_on(self, node: str) -> Sequence[Object]:
        if not self._pods_by_node:
            for pod in self.pods:
                self._pods_by_node.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
        return self._pods_by_node.get(node, ())

    def select(self, kind: str, selector: Mapping[str, str], within: str | None = None) -> Iterator[Object]:
        """Yield the objects of a kind that carry these labels, in one namespace or in all."""
        return (o for o in self.of(kind) if has_labels(o, selector) and within in (None, namespace(o)))

    def serves(self, kind: str) -> bool:
        """Whether a custom kind is served by now."""
        definitions = (d for d in self.of("CustomResourceDefinition") if d["spec"]["names"]["kind"] == kind)
        return any(condition(definition, "Established") == "True" for definition in definitions)

    def find(self, kind: str, object_name: str, within: str = "") -> Object | None:
        if kind not in self._by_name:
            self._by_name[kind] = {(namespace(o), name(o)): o for o in self.of(kind)}
        return self._by_name[kind].get((within, object_name))
