"""What a `kubernetes.Ready` may wait for: a small vocabulary, one function each.

Values may be Outputs. The words are read by `aiinfra.domains.kubernetes.objects.wants`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Want = Mapping[str, Any]


def reference(api_version: Any, kind: Any, name: Any, namespace: Any = "") -> dict[str, Any]:
    """Names one object."""
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "name": name, **place}


def exists(object: Mapping[str, Any]) -> Want:
    return {"object": object, "exists": True}


def condition(object: Mapping[str, Any], type: str, status: str = "True") -> Want:
    """`status.conditions` has this type with this status."""
    return {"object": object, "condition": type, "status": status}


def field(object: Mapping[str, Any], path: str, equals: Any) -> Want:
    """The value at a dotted path, `status.state`, equals this."""
    return {"object": object, "field": path, "equals": equals}


def established(name: str) -> Want:
    """The CustomResourceDefinition is there and served."""
    return condition(reference("apiextensions.k8s.io/v1", "CustomResourceDefinition", name), "Established")


def rolled_out(object: Mapping[str, Any]) -> Want:
    """A Deployment, DaemonSet or StatefulSet runs its newest template on all its pods."""
    return {"object": object, "rolled_out": True}


def cluster_policy_ready(name: Any) -> Want:
    """`status.state` ready and condition Ready for the reason Reconciled, not for want of GPU nodes."""
    return {"object": reference("nvidia.com/v1", "ClusterPolicy", name), "cluster_policy": True}


def labelled_nodes(label: Any, at_least: Any) -> Want:
    """So many nodes carry a label (`key` or `key=value`)."""
    return {"nodes": {"label": label, "at_least": at_least}}


def allocatable(resource: Any, at_least: Any, label: Any = "") -> Want:
    """The nodes together offer so many of a resource; with `label`, only nodes that carry it count."""
    return {"allocatable": {"resource": resource, "at_least": at_least, "label": label}}
