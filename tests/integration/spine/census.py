"""What the API server of a lab's cluster holds beside the cluster's own objects: every type, by name and count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.objects.dependents import census
from aiinfra.lab.lab import Lab
from tests.integration.spine.lab_site import OWN_NAMES, OWN_NAMESPACES, lab_folder
from tests.integration.spine.site import Site
from tests.labs import clusters_of, kubeconfig

OWN_KINDS = {
    "Node", "CSINode", "Lease", "APIService", "FlowSchema", "PriorityLevelConfiguration", "IPAddress", "ServiceCIDR",
}  # fmt: skip
"""Kinds whose objects a cluster makes for itself; leases follow its nodes and leaders, addresses its services."""
FEATURES = ("feature.node.kubernetes.io/", "nfd.node.kubernetes.io/", "nvidia.com/")
"""Labels and annotations that NFD and the GPU Operator put on nodes."""
OWN_CLASSES = {"system-cluster-critical", "system-node-critical"}


def standing(site: Site) -> list[str]:
    """Every object of every type; a random name is told by its beginning, so that two of a kind show as two.

    Nodes are told by what was found out about them. A lab that has no cluster yet holds nothing.
    """
    lab = Lab.find(lab_folder(site) or site.folder)
    if lab is None or "cluster" not in clusters_of(lab):
        return []
    with KubeClient.from_kubeconfig(kubeconfig(lab, "cluster")) as client:
        counted = census(client)
    assert not counted.unlisted
    features = [f"{obj['metadata']['name']} {key}" for obj in counted.objects for key in _features(obj)]
    return sorted([*features, *(_told(obj) for obj in counted.objects if not _own(obj))])


def _features(obj: Mapping[str, Any]) -> list[str]:
    meta = obj["metadata"]
    written = [*(meta.get("labels") or {}), *(meta.get("annotations") or {})]
    return [key for key in written if obj["kind"] == "Node" and key.startswith(FEATURES)]


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
