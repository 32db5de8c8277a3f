"""What the API server of a lab's cluster holds beside the cluster's own objects: every type, by name and count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.kube.dependents import census
from tests.integration.spine.lab_site import OWN_NAMES, OWN_NAMESPACES, cluster
from tests.integration.spine.site import Site

OWN_KINDS = {"Node", "CSINode", "Lease", "APIService", "FlowSchema", "PriorityLevelConfiguration"}
"""Kinds whose objects a cluster makes for itself; leases follow its nodes and leaders."""
OWN_CLASSES = {"system-cluster-critical", "system-node-critical"}


def standing(site: Site) -> list[str]:
    """Every object of every type; a random name is told by its beginning, so that two of a kind show as two."""
    with cluster(site) as client:
        counted = census(client)
    assert not counted.unasked
    return sorted(_told(obj) for obj in counted.objects if not _own(obj))


def _told(obj: Mapping[str, Any]) -> str:
    meta = obj["metadata"]
    name = f"{meta['generateName']}*" if meta.get("generateName") else meta["name"]
    return f"{obj['kind']} {meta.get('namespace', '')}/{name}"


def _own(obj: Mapping[str, Any]) -> bool:
    meta = obj["metadata"]
    name = meta["name"]
    return (
        obj["kind"] in OWN_KINDS
        or meta.get("namespace") in OWN_NAMESPACES
        or name in OWN_NAMESPACES | OWN_NAMES | OWN_CLASSES
        or name.startswith(("system:", "kubeadm:"))
    )
