"""The nodes of a simulated cluster: from described hardware to Node objects. Pure.

A node carries its hardware in one annotation that only the lab's controllers read. What operators would make of it
(labels, `nvidia.com/gpu`) is theirs to make.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_DNS, uuid5

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup

HARDWARE: Final = "lab.aiinfra.dev/hardware"
"""Annotation: JSON of a node group as `lab:` describes it, and `group`, its name."""
KWOK_NODE: Final = {"kwok.x-k8s.io/node": "fake"}
PODS_PER_NODE: Final = "110"
"""Kubelet's default (`maxPods`)."""
OS_NAMES: Final[Mapping[str, str]] = {
    "ubuntu": "Ubuntu {} LTS",
    "rhel": "Red Hat Enterprise Linux {}",
    "rhcos": "Red Hat Enterprise Linux CoreOS {}",
}
CONTAINER_RUNTIME: Final[Mapping[str, str]] = {"rhcos": "cri-o://1.36.0"}
DEFAULT_RUNTIME: Final = "containerd://2.2.0"


def node_objects(cluster: LabCluster, version: str) -> Iterator[dict[str, Any]]:
    """Yield the Node objects, `<group>-<i>`, in the order of the groups; `version` is the kubelets'."""
    number = 0
    for group_name, group in cluster.nodes.items():
        for index in range(group.count):
            yield _node(f"{group_name}-{index}", group_name, group, number, version)
            number += 1


def hardware(group_name: str, group: NodeGroup) -> str:
    described = group.model_dump(mode="json", exclude={"count"})
    given = {key: value for key, value in described.items() if value or key in ("gpu", "gpus")}
    return json.dumps({"group": group_name, **given}, sort_keys=True)


def node_changes(
    existing: Iterable[Mapping[str, Any]], desired: Mapping[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return nodes to create, and names to delete first: a machine whose hardware changed is another machine."""
    have = {node["metadata"]["name"]: node["metadata"].get("annotations", {}).get(HARDWARE) for node in existing}
    same = {name for name, node in desired.items() if have.get(name) == node["metadata"]["annotations"][HARDWARE]}
    return [node for name, node in desired.items() if name not in same], sorted(have.keys() - same)


def _node(name: str, group_name: str, group: NodeGroup, number: int, version: str) -> dict[str, Any]:
    capacity = {"cpu": str(group.cpu), "memory": group.memory, "pods": PODS_PER_NODE}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {**KWOK_NODE, HARDWARE: hardware(group_name, group)},
            "labels": {
                **group.labels,
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": group.arch,
                "node-role.kubernetes.io/worker": "",
            },
        },
        **({"spec": {"taints": [taint.model_dump() for taint in group.taints]}} if group.taints else {}),
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": f"10.128.{number // 250}.{number % 250 + 1}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": _node_info(name, group, version),
        },
    }


def _node_info(name: str, group: NodeGroup, version: str) -> dict[str, str]:
    family = group.os.rstrip("0123456789.")
    image = OS_NAMES.get(family, family + " {}").format(group.os.removeprefix(family)).strip()
    return {
        "kernelVersion": group.kernel,
        "osImage": image,
        "containerRuntimeVersion": CONTAINER_RUNTIME.get(family, DEFAULT_RUNTIME),
        "kubeletVersion": version,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": group.arch,
        "machineID": name,
        "systemUUID": name,
        "bootID": str(uuid5(NAMESPACE_DNS, name)),
    }
