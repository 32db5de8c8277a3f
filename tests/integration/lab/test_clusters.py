"""What a simulated cluster does: it is a real API server whose nodes are described."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Unreachable, Untrusted
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.errors import ConfigError, OutsideError
from aiinfra.lab.lab import Lab
from tests.integration.lab.conftest import SMALL, until
from tests.labs import clusters_of, kubeconfig, open_clusters, wanted

pytestmark = pytest.mark.lab


def conditions(node: Mapping[str, object]) -> dict[str, str]:
    status = node["status"]
    assert isinstance(status, dict)
    return {condition["type"]: condition["status"] for condition in status["conditions"]}


def test_each_cluster_is_a_cluster_of_its_own(lab: Lab) -> None:
    uids = {}
    for name in ("east", "west"):
        with KubeClient.from_kubeconfig(kubeconfig(lab, name)) as client:
            uids[name] = client.cluster_uid()
    assert uids["east"] != uids["west"]
    assert uids == {name: cluster["uid"] for name, cluster in clusters_of(lab).items()}


def test_nodes_are_ready_and_have_what_is_described_and_nothing_of_operators(east: KubeClient) -> None:
    nodes = {node["metadata"]["name"]: node for node in east.list("v1", "Node")}
    assert list(nodes) == ["cpu-0", "gpu-0", "gpu-1"]
    assert {name: conditions(node)["Ready"] for name, node in nodes.items()} == dict.fromkeys(nodes, "True")
    assert nodes["gpu-1"]["status"]["capacity"] == {"cpu": "96", "memory": "1Ti", "pods": "110"}
    assert nodes["gpu-1"]["status"]["allocatable"] == {"cpu": "96", "memory": "1Ti", "pods": "110"}
    assert nodes["gpu-1"]["status"]["nodeInfo"]["kernelVersion"] == "5.14.0-570.el9"
    assert not [label for label in nodes["gpu-1"]["metadata"]["labels"] if "nvidia" in label]
    assert "taints" not in nodes["gpu-1"]["spec"]


def test_the_server_is_verified_by_the_authority_in_its_own_kubeconfig_only(lab: Lab) -> None:
    east, west = (json.loads(kubeconfig(lab, name)) for name in ("east", "west"))
    east["clusters"][0]["cluster"]["server"] = west["clusters"][0]["cluster"]["server"]
    with KubeClient.from_kubeconfig(json.dumps(east)) as client, pytest.raises(Untrusted):
        client.cluster_uid()


def test_a_deployment_runs_its_pod(east: KubeClient) -> None:
    east.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}})
    labels = {"app": "web"}
    container = {"name": "web", "image": "registry.example/web:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    east.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
        }
    )
    deployment = ObjectRef("apps/v1", "Deployment", "web", "web")
    until(lambda: (east.get(deployment) or {}).get("status", {}).get("readyReplicas") == 2, "two ready pods")
    pods = east.list("v1", "Pod", "web")
    assert {pod["spec"]["serviceAccountName"] for pod in pods} == {"default"}
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}

    namespace = ObjectRef("v1", "Namespace", "web")
    east.delete(namespace)
    until(lambda: east.get(namespace) is None, "the namespace to be gone")


def test_a_cluster_joins_a_living_lab(
    lab: Lab, lab_servers: Mapping[str, Path], clusters: Mapping[str, LabCluster]
) -> None:
    before = {child.pid for child in lab.record.children}
    said: list[str] = []
    again = open_clusters(lab.folder, lab_servers, {**clusters, "north": SMALL}, said.append)
    assert again.generation == lab.generation
    assert before <= {child.pid for child in again.record.children}
    assert said == ["cluster north: v1.36.3 answers"]
    with KubeClient.from_kubeconfig(kubeconfig(again, "north")) as client:
        assert [node["metadata"]["name"] for node in client.list("v1", "Node")] == ["cpu-0"]


def test_nodes_follow_their_description(
    lab: Lab, lab_servers: Mapping[str, Path], clusters: Mapping[str, LabCluster]
) -> None:
    other = LabCluster(nodes={"cpu": NodeGroup(count=2, cpu=8, memory="16Gi")})
    changed = {**clusters, "west": other}
    assert lab.provides(wanted(clusters))
    assert not lab.provides(wanted(changed))
    open_clusters(lab.folder, lab_servers, {"west": other})
    with KubeClient.from_kubeconfig(kubeconfig(lab, "west")) as client:
        nodes = client.list("v1", "Node")
    assert [(node["metadata"]["name"], node["status"]["capacity"]["cpu"]) for node in nodes] == [
        ("cpu-0", "8"),
        ("cpu-1", "8"),
    ]
    assert {conditions(node)["Ready"] for node in nodes} == {"True"}
    assert lab.provides(wanted(changed))


def test_a_partition_cuts_clients_of_one_cluster_off_until_it_is_lifted(lab: Lab, east: KubeClient) -> None:
    uid = east.cluster_uid()
    lab.set_fault("api-partition", "east")
    try:
        with pytest.raises(Unreachable):
            east.cluster_uid()
        with KubeClient.from_kubeconfig(kubeconfig(lab, "west")) as west:
            west.cluster_uid()
        assert [(fault.name, fault.place) for fault in lab.faults()] == [("api-partition", "east")]
    finally:
        lab.lift_fault("api-partition")
    assert east.cluster_uid() == uid
    assert lab.faults() == ()


def test_a_partition_of_no_cluster_is_refused(lab: Lab) -> None:
    with pytest.raises(ConfigError) as caught:
        lab.set_fault("api-partition", "eats")
    assert caught.value.record.message == "the lab has no cluster 'eats' to cut off"
    assert caught.value.exit_code == 2


def test_a_kubeconfig_of_no_cluster_is_refused(lab: Lab) -> None:
    with pytest.raises(OutsideError) as caught:
        kubeconfig(lab, "eats")
    assert caught.value.record.message == "the lab has no cluster 'eats'"
