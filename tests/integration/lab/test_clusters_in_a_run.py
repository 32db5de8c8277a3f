"""Clusters that are made and removed while their lab runs, as a stand-in for an installer or a cloud asks for it."""

from __future__ import annotations

import os
import signal
from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Unreachable
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.domains.kubernetes.lab.domain import spec_tree
from aiinfra.errors import ConfigError, OutsideError
from aiinfra.lab.lab import Lab
from tests.integration.lab.conftest import SMALL, until
from tests.labs import KUBERNETES, clusters_of, kubeconfig, wanted

pytestmark = pytest.mark.lab
GPUS = LabCluster(nodes={"gpu": NodeGroup(count=2, gpu="L40S", gpus=4)})


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, lab_servers: Mapping[str, Path]) -> Iterator[Lab]:
    """A lab without a cluster, whose stack `later` makes one."""
    folder = tmp_path_factory.mktemp("labs") / "empty"
    lab = Lab.open(folder, wanted({}, ("later",)), lab_servers, lambda text: None)
    yield lab
    lab.stop()


def make(lab: Lab, name: str, cluster: LabCluster = SMALL) -> Mapping[str, object]:
    return lab.make(KUBERNETES, name, spec_tree(cluster))


def processes(lab: Lab) -> list[str]:
    return [process["name"] for process in lab.status()["processes"]]


def ready(client: KubeClient) -> list[str]:
    """Names of the nodes that are Ready."""
    return [
        node["metadata"]["name"]
        for node in client.list("v1", "Node")
        if any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
    ]


def run_pod(client: KubeClient) -> None:
    container = {"name": "web", "image": "registry.example/web:1"}
    ref = ObjectRef("v1", "Pod", "web", "default")
    until(lambda: client.get(ObjectRef("v1", "ServiceAccount", "default", "default")), "the default service account")
    client.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"containers": [container]},
        }
    )
    until(lambda: (client.get(ref) or {}).get("status", {}).get("phase") == "Running", "the pod to run")


def await_webhook(client: KubeClient) -> None:
    hooks = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
    until(lambda: len(list(client.list(*hooks))) == 1, "the webhook that the controllers make")


def keys_in_etcd(lab: Lab, cluster: str) -> int:
    """How many keys etcd has of clusters of this name."""
    first, end = (b64encode(f"/{cluster}{sign}".encode()).decode() for sign in "-.")
    transport = httpx.HTTPTransport(uds=str(lab.folder / "etcd.sock:0"))
    with httpx.Client(transport=transport, base_url="http://etcd", trust_env=False) as client:
        answer = client.post("/v3/kv/range", json={"key": first, "range_end": end, "count_only": True})
    return int(answer.raise_for_status().json().get("count", 0))


def test_a_cluster_is_made_works_and_goes_without_a_trace(empty: Lab) -> None:
    before = processes(empty)
    record = make(empty, "born", GPUS)
    with KubeClient.from_kubeconfig(kubeconfig(empty, "born")) as client:
        assert client.cluster_uid() == record["uid"]
        assert ready(client) == ["gpu-0", "gpu-1"]
        run_pod(client)
    found = Lab.find(empty.folder)
    assert found
    assert clusters_of(found)["born"] == record
    assert empty.status()["domains"][KUBERNETES]["born"] == record
    servers = [child.process for child in found.record.children if child.name.startswith("born/")]
    assert len(servers) == 4
    assert keys_in_etcd(empty, "born") > 0

    empty.remove(KUBERNETES, "born")

    assert processes(empty) == before
    assert not any(server.alive for server in servers)
    assert [path for path in empty.folder.rglob("*") if "born" in path.name] == []
    assert keys_in_etcd(empty, "born") == 0
    found = Lab.find(empty.folder)
    assert found
    assert dict(clusters_of(found)) == {}
    with pytest.raises(OutsideError, match="the lab has no cluster 'born'"):
        kubeconfig(empty, "born")


def test_the_lab_s_controllers_work_in_it_and_survive_its_end(empty: Lab) -> None:
    controllers = [process["pid"] for process in empty.status()["processes"] if process["name"] == "controllers"]
    for _ in range(2):
        make(empty, "later")
        empty.set_fault("webhook-down", "later")
        with KubeClient.from_kubeconfig(kubeconfig(empty, "later")) as client:
            await_webhook(client)
        empty.lift_fault("webhook-down")
        empty.remove(KUBERNETES, "later")
    assert controllers == [p["pid"] for p in empty.status()["processes"] if p["name"] == "controllers"]
    assert empty.status()["ended"] == []
    assert "Traceback" not in (empty.folder / "logs" / "controllers.log").read_text()


def test_making_it_again_makes_nothing_and_removing_it_again_neither(empty: Lab) -> None:
    record = make(empty, "later")
    names = processes(empty)
    assert make(empty, "later") == record
    assert processes(empty) == names
    assert make(empty, "later", GPUS) == record
    with KubeClient.from_kubeconfig(kubeconfig(empty, "later")) as client:
        assert ready(client) == ["gpu-0", "gpu-1"]
    empty.remove(KUBERNETES, "later")
    empty.remove(KUBERNETES, "later")
    assert make(empty, "later")["uid"] != record["uid"]
    empty.remove(KUBERNETES, "later")


def test_two_are_made_at_once_and_the_same_one_twice_is_one(empty: Lab) -> None:
    with ThreadPoolExecutor(3) as pool:
        one, two, again = pool.map(lambda name: make(empty, name), ("one", "two", "one"))
    assert one == again
    assert one["uid"] != two["uid"]
    assert sorted(empty.status()["domains"][KUBERNETES]) == ["one", "two"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: empty.remove(KUBERNETES, name), ("one", "two")))
    assert processes(empty) == ["etcd", "controllers"]


def test_a_cluster_that_a_stack_makes_later_is_born_cut_off(empty: Lab) -> None:
    with pytest.raises(ConfigError, match="the lab has no cluster 'latter' to cut off") as refused:
        empty.set_fault("api-partition", "latter")
    assert refused.value.record.hint == "it has: later"
    empty.set_fault("api-partition", "later")
    make(empty, "later")
    with KubeClient.from_kubeconfig(kubeconfig(empty, "later")) as client:
        with pytest.raises(Unreachable):
            client.cluster_uid()
        empty.lift_fault("api-partition")
        client.cluster_uid()
    empty.remove(KUBERNETES, "later")


def test_a_killed_supervisor_takes_made_clusters_along(tmp_path: Path, lab_servers: Mapping[str, Path]) -> None:
    lab = Lab.open(tmp_path / "lab", wanted({}), lab_servers, lambda text: None)
    make(lab, "dc1")
    found = Lab.find(lab.folder)
    assert found
    os.kill(found.record.pid, signal.SIGKILL)
    until(lambda: not found.alive and not found.record.survivors(), "the children to die")
    with pytest.raises(OutsideError) as caught:
        make(lab, "dc2")
    assert caught.value.record.code == "lab.gone"
    said: list[str] = []
    found.discard(said.append)
    assert said[0].startswith(f"discarded the dead lab of {found.record.since} with its state (clusters: dc1): ")
    assert not lab.folder.exists()
