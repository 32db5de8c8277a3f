"""A lab with two clusters, each of a CPU node and two nodes of eight GPUs: one installed and ready, one empty."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts import facts_by_name
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.lab.block import LabCluster
from aiinfra.domains.kubernetes.lab.standins.charts.known import manifest_of
from aiinfra.domains.kubernetes.lab.standins.charts.release import Manifest
from aiinfra.lab.lab import Lab
from aiinfra.stack import MARK_STACK
from aiinfra.waiting import Pending, TimedOut, Waiter
from tests.labs import kubeconfig, open_clusters

NAMESPACE = "gpu-operator"
POLICY = ObjectRef("nvidia.com/v1", "ClusterPolicy", "cluster-policy")
LIMIT = 60.0
Values = Mapping[str, Any]


@dataclass
class Site:
    """The cluster as a test sees it."""

    lab: Lab
    client: KubeClient
    installed: list[Manifest] = field(default_factory=list)

    def install(self, chart: str = "gpu-operator", values: Values | None = None, namespace: str = NAMESPACE) -> None:
        """What Helm does with a chart, but without waiting for anything except the CRDs."""
        reference = facts_by_name()[chart].references[0]
        inputs = {"chart": reference.chart, "name": chart, "namespace": namespace, "values": values or {}}
        manifest = manifest_of(inputs | {"repositoryOpts": {"repo": reference.repository}})
        self.installed.append(manifest)
        marks = {MARK_STACK: chart.replace("-", "_")}
        self.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": marks}})
        for crd in manifest.crds:
            self.client.apply(crd, force=True)
        for ref in map(ObjectRef.of, manifest.crds):
            self.until(partial(self._established, ref), f"{ref} established")
        for obj in manifest.objects:
            self.client.apply(obj, force=True)

    def until(self, holds: Callable[[], object], what: str) -> Any:
        """The first true answer."""
        try:
            return Waiter(LIMIT, every=0.1).until(lambda: holds() or Pending(what))
        except TimedOut:
            pytest.fail(f"{what} did not come; pods: {self.pod_states()}")

    def _established(self, ref: ObjectRef) -> bool:
        found = self.client.get(ref) or {}
        conditions = found.get("status", {}).get("conditions") or ()
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Status, reason and message of a condition of the ClusterPolicy; empty strings when it is not there."""
        policy = self.client.get(POLICY) or {}
        found = {c["type"]: c for c in policy.get("status", {}).get("conditions", ())}.get(kind)
        return (found["status"], found["reason"], found["message"]) if found else ("", "", "")

    def until_ready(self, reason: str = "Reconciled") -> None:
        self.until(lambda: self.condition("Ready")[:2] == ("True", reason), f"ClusterPolicy Ready {reason}")

    def pods(self, app: str) -> Sequence[Object]:
        return self.client.list("v1", "Pod", NAMESPACE, labels=f"app={app}")

    def pod_states(self) -> list[str]:
        """`name: phase` of every pod of the namespace, for a failing test."""
        return [f"{p['metadata']['name']}: {p['status']['phase']}" for p in self.client.list("v1", "Pod", NAMESPACE)]

    def statuses(self, app: str) -> Sequence[Object]:
        """Of the containers of the pods of an app."""
        return [status for pod in self.pods(app) for status in pod["status"].get("containerStatuses", ())]

    def waiting(self, app: str) -> set[str]:
        """Waiting reasons of the containers of the pods of an app."""
        return {s["state"]["waiting"]["reason"] for s in self.statuses(app) if "waiting" in s["state"]}

    def allocatable(self, resource: str = "nvidia.com/gpu") -> int:
        return sum(int(n["status"]["allocatable"].get(resource, 0)) for n in self.client.list("v1", "Node"))

    def events(self, reason: str) -> set[str]:
        found = self.client.list("v1", "Event", NAMESPACE)
        return {event["message"] for event in found if event["reason"] == reason}

    def node_states(self, label: str) -> list[tuple[str, bool]]:
        """The value of a label and whether it is cordoned, of each node with GPUs."""
        nodes = self.client.list("v1", "Node", labels="nvidia.com/gpu.present=true")
        return [_state(node, label) for node in nodes]

    @contextmanager
    def watching_nodes(self, label: str) -> Iterator[Mapping[str, list[tuple[str, bool]]]]:
        """What a label of each node, and its cordon, went through meanwhile."""
        seen: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        stop = threading.Event()

        def watch() -> None:
            for _, node in self.client.watch("v1", "Node", stop=stop):
                states = seen[node["metadata"]["name"]]
                if states[-1:] != [_state(node, label)]:
                    states.append(_state(node, label))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        self.until(lambda: seen, "the first sight of the nodes")
        try:
            yield seen
        finally:
            stop.set()
            thread.join(10)

    def empty(self) -> None:
        """Uninstall everything and wait until it is gone."""
        for fault in ("driver-kernel-mismatch", "image-pull", "real-pace", "webhook-down"):
            self.lab.lift_fault(fault)
        hooks = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
        self.until(lambda: not self.client.list(*hooks), "no webhook")
        for obj in [o for manifest in self.installed for o in manifest.objects]:
            self.client.delete(ObjectRef.of(obj), propagation="Background")
        spaces = {o["metadata"].get("namespace") for manifest in self.installed for o in manifest.objects} - {None}
        self.until(lambda: not any(self.client.list("v1", "Pod", space) for space in spaces), "no pod left")
        self.until(lambda: self.allocatable() == 0, "no GPU allocatable")
        self.installed.clear()
        for node in self.client.list("v1", "Node"):
            added = [k for k in node["metadata"]["labels"] if k.startswith(("nvidia.com/", "feature.node"))]
            self.client.patch(ObjectRef.of(node), {"metadata": {"labels": dict.fromkeys(added)}})


def _state(node: Object, label: str) -> tuple[str, bool]:
    return node["metadata"]["labels"].get(label, ""), bool(node["spec"].get("unschedulable"))


@pytest.fixture(scope="session")
def lab(lab_servers: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("controllers") / "lab"
    lab = open_clusters(folder, lab_servers, {"healthy": LabCluster(), "dc1": LabCluster()})
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def healthy(lab: Lab) -> Iterator[Site]:
    """A cluster where the GPU Operator is installed and ready; tests leave it so."""
    with KubeClient.from_kubeconfig(kubeconfig(lab, "healthy")) as client:
        site = Site(lab, client)
        site.install()
        site.until_ready()
        yield site


@pytest.fixture
def site(lab: Lab) -> Iterator[Site]:
    """A cluster with nothing in it."""
    with KubeClient.from_kubeconfig(kubeconfig(lab, "dc1")) as client:
        site = Site(lab, client)
        yield site
        site.empty()
