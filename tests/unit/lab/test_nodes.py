"""From described hardware to Node objects."""

from __future__ import annotations

import json

from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup, Taint
from aiinfra.domains.kubernetes.lab.controllers.hardware import of_node
from aiinfra.domains.kubernetes.lab.nodes import node_changes, node_objects
from aiinfra.model.own_gpu import OwnGpu

CLUSTER = LabCluster(
    nodes={
        "cpu": NodeGroup(count=1, cpu=8, memory="32Gi"),
        "gpu": NodeGroup(count=2, gpu="A100-SXM4-40GB", gpus=8, os="rhel9.6", kernel="5.14.0-570.el9.x86_64"),
    }
)


def the_nodes() -> dict[str, dict[str, object]]:
    return {node["metadata"]["name"]: node for node in node_objects(CLUSTER, "v1.36.3")}


def test_nodes_are_named_by_group_and_number() -> None:
    assert list(the_nodes()) == ["cpu-0", "gpu-0", "gpu-1"]


def test_a_node_has_the_capacity_that_is_described_and_no_gpu_that_no_operator_made() -> None:
    node = next(node_objects(CLUSTER, "v1.36.3"))
    assert node["status"]["capacity"] == {"cpu": "8", "memory": "32Gi", "pods": "110"}
    assert node["status"]["allocatable"] == {"cpu": "8", "memory": "32Gi", "pods": "110"}


def test_a_gpu_node_carries_no_label_of_an_operator() -> None:
    labels = the_nodes()["gpu-1"]["metadata"]["labels"]  # type: ignore[index]
    assert labels == {
        "kubernetes.io/hostname": "gpu-1",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node-role.kubernetes.io/worker": "",
    }


def test_the_hardware_stands_in_one_annotation() -> None:
    annotations = the_nodes()["gpu-0"]["metadata"]["annotations"]  # type: ignore[index]
    assert annotations["kwok.x-k8s.io/node"] == "fake"
    assert json.loads(annotations["lab.aiinfra.dev/hardware"]) == {
        "group": "gpu",
        "gpu": "A100-SXM4-40GB",
        "gpus": 8,
        "os": "rhel9.6",
        "kernel": "5.14.0-570.el9.x86_64",
        "cpu": 32,
        "memory": "256Gi",
        "arch": "amd64",
    }


def test_a_node_has_the_labels_taints_and_processor_that_are_described() -> None:
    group = NodeGroup(arch="arm64", labels={"site/rack": "r7"}, taints=(Taint(key="dedicated", value="gpu"),))
    (node,) = node_objects(LabCluster(nodes={"gpu": group}), "v1.36.3")
    assert node["metadata"]["labels"] == {
        "site/rack": "r7",
        "kubernetes.io/hostname": "gpu-0",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "arm64",
        "node-role.kubernetes.io/worker": "",
    }
    assert node["spec"] == {"taints": [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]}
    assert node["status"]["nodeInfo"]["architecture"] == "arm64"


def test_a_gpu_that_no_table_has_is_described_by_its_own_row() -> None:
    own = {"name": "NVIDIA GeForce RTX 3090 Ti", "pci_device": "2203", "memory": "24GiB", "architecture": "ampere"}
    (node,) = node_objects(LabCluster(nodes={"gpu": NodeGroup(gpu=OwnGpu.model_validate(own), gpus=1)}), "v1.36.3")
    machine = of_node(node)
    assert machine.gpu is not None
    assert (machine.gpu.product_label, machine.gpu.pci_device, machine.gpu.memory_mib) == (
        "NVIDIA-GeForce-RTX-3090-Ti", "2203", 24576,
    )  # fmt: skip


def test_a_node_tells_its_system_as_a_kubelet_does() -> None:
    info = the_nodes()["gpu-0"]["status"]["nodeInfo"]  # type: ignore[index]
    assert (info["osImage"], info["kernelVersion"], info["kubeletVersion"], info["containerRuntimeVersion"]) == (
        "Red Hat Enterprise Linux 9.6",
        "5.14.0-570.el9.x86_64",
        "v1.36.3",
        "containerd://2.2.0",
    )


def test_every_node_has_an_address_of_its_own() -> None:
    many = LabCluster(nodes={"cpu": NodeGroup(count=600)})
    addresses = [node["status"]["addresses"][0]["address"] for node in node_objects(many, "v1.36.3")]
    assert len(set(addresses)) == 600
    assert addresses[-1] == "10.128.2.100"


def test_nothing_changes_when_all_nodes_stand() -> None:
    assert node_changes(the_nodes().values(), the_nodes()) == ([], [])


def test_a_node_that_is_not_described_any_more_goes_and_a_new_one_comes() -> None:
    wanted = the_nodes()
    existing = {**wanted, "gpu-7": wanted["gpu-1"] | {"metadata": {"name": "gpu-7"}}}
    del existing["gpu-0"]
    create, remove = node_changes(existing.values(), wanted)
    assert ([node["metadata"]["name"] for node in create], remove) == (["gpu-0"], ["gpu-7"])


def test_a_machine_with_other_hardware_is_another_machine() -> None:
    other = LabCluster(nodes={"cpu": NodeGroup(count=1, cpu=16, memory="32Gi")})
    existing = [next(node_objects(CLUSTER, "v1.36.3"))]
    wanted = {node["metadata"]["name"]: node for node in node_objects(other, "v1.36.3")}
    create, remove = node_changes(existing, wanted)
    assert ([node["metadata"]["name"] for node in create], remove) == (["cpu-0"], ["cpu-0"])
