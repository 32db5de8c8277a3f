"""What a `kubernetes.Ready` may wait for: one function for each type of want.

Values may be Outputs. The wants are parsed by `aiinfra.domains.kubernetes.objects.wants`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Want = Mapping[str, Any]


def reference(api_version: Any, kind: Any, name: Any, namespace: Any = "") -> dict[str, Any]:
    """Return a reference to one object."""
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "name": name, **place}


def exists(object: Mapping[str, Any]) -> Want:
    """The object exists."""
    return {"object": object, "exists": True}


def condition(object: Mapping[str, Any], type: str, status: str = "True") -> Want:
    """`status.conditions` has this type with this status."""
    return {"object": object, "condition": type, "status": status}


def field(object: Mapping[str, Any], path: str, equals: Any) -> Want:
    """The value at a dotted path, `status.state`, equals this."""
    return {"object": object, "field": path, "equals": equals}


def established(name: str) -> Want:
    """The CustomResourceDefinition exists and is served."""
    return condition(reference("apiextensions.k8s.io/v1", "CustomResourceDefinition", name), "Established")


def rolled_out(object: Mapping[str, Any]) -> Want:
    """A Deployment, DaemonSet or StatefulSet runs its newest template on all its pods."""
    return {"object": object, "rolled_out": True}


def cluster_policy_ready(name: Any) -> Want:
    """`status.state` is ready, and condition Ready is true because of Reconciled, not because there is no GPU node."""
    return {"object": reference("nvidia.com/v1", "ClusterPolicy", name), "cluster_policy": True}


def labelled_nodes(label: Any, at_least: Any) -> Want:
    """At least so many nodes carry a label (`key` or `key=value`)."""
    return {"nodes": {"label": label, "at_least": at_least}}


def allocatable(resource: Any, at_least: Any, label: Any = "") -> Want:
    """The nodes together offer at least so many units of a resource; with `label`, only nodes with it count."""
    return {"allocatable": {"resource": resource, "at_least": at_least, "label": label}}
