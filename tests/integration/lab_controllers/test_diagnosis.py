"""Causes made by hand in a cluster that works: the diagnosis reads objects alone, and names who is at fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.errors import WebhookFailed
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_object, diagnose_text, diagnose_wants
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.domains.kubernetes.objects.wants import ClusterPolicyReady, ObjectWant
from tests.integration.lab_controllers.conftest import NAMESPACE, POLICY, Site

pytestmark = pytest.mark.lab
KUBELET = "lab.aiinfra.dev/kubelet"
"""Annotation of pods by who plays their kubelet: nobody, when it has a value that nobody knows."""
DRIVER = ObjectRef("apps/v1", "DaemonSet", "nvidia-driver-daemonset", NAMESPACE)
OPERATOR = ObjectRef("apps/v1", "Deployment", "gpu-operator", NAMESPACE)
UPGRADE_STATE = "nvidia.com/gpu-driver-upgrade-state"
NODE_9 = ObjectRef("v1", "Node", "gpu-9")
IMAGE = "nvcr.io/nvidia/driver:580.1-ubuntu24.04"
NOT_FOUND = f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = {IMAGE}: not found'
OUT_OF_MEMORY = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
HOOKS = "admissionregistration.k8s.io/v1"


def diagnosed(site: Site) -> Diagnosis:
    return diagnose_wants(gather(site.client), [ObjectWant(POLICY, ClusterPolicyReady())])


def play(site: Site, workload: ObjectRef, who: str) -> None:
    """Let pods that the workload makes from now on have their kubelet played by `who`."""
    template = {"metadata": {"annotations": {KUBELET: who}}}
    site.client.patch(workload, {"spec": {"template": template}})


def unplayed(site: Site, app: str, node: str = "") -> Object:
    """The pod of an app that nobody plays, once it is on a node, or on this one."""

    def there() -> Object | None:
        pods = (pod for pod in site.pods(app) if pod["metadata"].get("annotations", {}).get(KUBELET) == "nobody")
        placed = ((pod, pod["spec"].get("nodeName")) for pod in pods)
        return next((pod for pod, on in placed if on and node in ("", on)), None)

    found: Object = site.until(there, f"a pod of {app} that nobody plays")
    return found


def show(site: Site, pod: Object, waiting: Object, last: Object | None = None) -> None:
    """Give the pod the status of one whose first container waits."""
    container = pod["spec"]["containers"][0]
    state = {"name": container["name"], "image": IMAGE, "imageID": "", "ready": False, "restartCount": 3}
    status = {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [{**state, "state": {"waiting": waiting}, "lastState": last or {}}],
    }
    site.client.patch(ObjectRef.of(pod), {"status": status}, subresource="status")


def a_pod(site: Site, name: str, namespace: str = "default", gpus: int = 0, **spec: Any) -> ObjectRef:
    """A pod whose kubelet nobody plays; on a node only where the scheduler or `nodeName` puts it."""
    container = {"name": "c", "image": IMAGE, "resources": {"limits": {"nvidia.com/gpu": gpus} if gpus else {}}}
    meta = {"name": name, "namespace": namespace, "annotations": {KUBELET: "nobody"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}
    return ObjectRef.of(site.client.create(pod))


def unscheduled(site: Site, ref: ObjectRef, word: str) -> Diagnosis:
    """What is said of a pod once the scheduler has said why it does not place it, with this word in it."""
    site.until(lambda: word in str((site.client.get(ref) or {}).get("status")), f"{ref} judged by the scheduler")
    return diagnose_object(gather(site.client), ref)


def node_of(site: Site, ref: ObjectRef) -> str:
    return str(site.until(lambda: (site.client.get(ref) or {})["spec"].get("nodeName"), f"{ref} on a node"))


@pytest.fixture
def cluster(healthy: Site) -> Iterator[Site]:
    """The healthy cluster; what tests may break in it is mended."""
    yield healthy
    for workload in (DRIVER, OPERATOR):
        play(healthy, workload, "controllers")
    for ref in (NODE_9, *(ObjectRef.of(pod) for pod in _unplayed_everywhere(healthy))):
        healthy.client.delete(ref)
    healthy.client.patch(ObjectRef("v1", "Node", "gpu-0"), {"spec": {"unschedulable": None}})
    healthy.until(lambda: not _unplayed_everywhere(healthy), "no pod that nobody plays")
    healthy.until(lambda: _drivers_at_rest(healthy), "the end of the upgrade that a changed DaemonSet begins")
    healthy.until_ready()
    healthy.until(lambda: healthy.allocatable() == 16, "sixteen GPUs")


def _drivers_at_rest(site: Site) -> bool:
    """Whether the pods of the driver are of its last template, and no node waits for its upgrade or is cordoned."""
    found = site.client.get(DRIVER) or {}
    status = found["status"]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    current = status.get("updatedNumberScheduled", 0) == status["desiredNumberScheduled"]
    return seen and current and set(site.node_states(UPGRADE_STATE)) == {("upgrade-done", False)}


def _unplayed_everywhere(site: Site) -> Sequence[Object]:
    pods = site.client.list("v1", "Pod")
    return [pod for pod in pods if pod["metadata"].get("annotations", {}).get(KUBELET) == "nobody"]


def test_operands_operator_and_node_that_broke_each_by_itself_are_told_and_bystanders_are_not(cluster: Site) -> None:
    for namespace in ("default", NAMESPACE):
        bystander = a_pod(cluster, "bystander", namespace, nodeName="gpu-0")
        show(cluster, cluster.client.get(bystander) or {}, {"reason": "ImagePullBackOff", "message": NOT_FOUND})
    assert diagnosed(cluster).causes == ()

    play(cluster, DRIVER, "nobody")
    (there,) = [pod for pod in cluster.pods(DRIVER.name) if pod["spec"]["nodeName"] == "gpu-0"]
    cluster.client.delete(ObjectRef.of(there))
    driver = unplayed(cluster, DRIVER.name, "gpu-0")
    show(cluster, driver, {"reason": "ImagePullBackOff", "message": NOT_FOUND})
    image = driver["spec"]["containers"][0]["image"]
    assert diagnosed(cluster) == Diagnosis(
        ["nvidia-driver-daemonset on gpu-0: ImagePullBackOff", f"image {image} does not exist"],
        "set driver.version to one that is published for this system, or bring it into the registry",
        Weight.BROKEN,
    )

    show(cluster, driver, {"reason": "CrashLoopBackOff"}, OUT_OF_MEMORY)
    memory = [
        "nvidia-driver-daemonset on gpu-0: CrashLoopBackOff",
        "container nvidia-driver-ctr used more memory than its limit",
    ]
    assert diagnosed(cluster) == Diagnosis(memory, "raise the memory limit of nvidia-driver-ctr", Weight.BROKEN)

    labels = {"nvidia.com/gpu.present": "true", "feature.node.kubernetes.io/pci-10de.present": "true"}
    cluster.client.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu-9", "labels": labels}})
    unready = {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "cni plugin not initialized"}
    cluster.client.patch(NODE_9, {"status": {"conditions": [unready]}}, subresource="status")
    node = "node gpu-9 is not ready: cni plugin not initialized"
    assert diagnosed(cluster).causes == [*memory, f"and also {node}"]

    play(cluster, OPERATOR, "nobody")
    operator = unplayed(cluster, "gpu-operator")
    show(
        cluster, operator, {"reason": "CrashLoopBackOff"}, {"terminated": {"exitCode": 2, "message": "panic: no lease"}}
    )
    host, name = operator["spec"]["nodeName"], operator["metadata"]["name"]
    found = diagnosed(cluster)
    assert found.causes == [
        f"gpu-operator on {host}: CrashLoopBackOff",
        "panic: no lease",
        f"and also {', as '.join(memory)}",
    ]
    assert found.hint == (
        f"see kubectl logs -n gpu-operator {name} -c gpu-operator --previous; "
        "raise the memory limit of nvidia-driver-ctr"
    )


def test_a_pod_without_a_gpu_is_told_who_holds_them_or_which_node_is_cordoned(cluster: Site) -> None:
    holders = [a_pod(cluster, name, gpus=8) for name in ("train-0", "train-1")]
    placed = {node_of(cluster, ref): ref.name for ref in holders}
    found = unscheduled(cluster, a_pod(cluster, "starved", gpus=1), "Insufficient")
    assert found.causes == [
        "starved: Unschedulable",
        "no node has nvidia.com/gpu to spare: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu",
        f"8 of the 8 nvidia.com/gpu of gpu-0 are taken by default/{placed['gpu-0']} (8)",
        f"and also 8 of the 8 nvidia.com/gpu of gpu-1 are taken by default/{placed['gpu-1']} (8)",
    ]
    assert found.hint == "end one of them, or add nodes with GPUs"

    cluster.client.patch(ObjectRef("v1", "Node", "gpu-0"), {"spec": {"unschedulable": True}})
    found = unscheduled(cluster, a_pod(cluster, "late", gpus=1), "unschedulable")
    assert found.causes[-1] == "node gpu-0 is cordoned, so nothing new starts there"
    assert found.hint == "kubectl uncordon gpu-0"


def test_a_pod_whose_claim_gets_no_volume(cluster: Site) -> None:
    claim = ObjectRef("v1", "PersistentVolumeClaim", "data", "default")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    cluster.client.create(
        {"apiVersion": "v1", "kind": claim.kind, "metadata": {"name": "data", "namespace": "default"}, "spec": spec}
    )
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    pod = a_pod(cluster, "claims", volumes=[volume])
    cluster.until(lambda: any(e["reason"] == "FailedBinding" for e in cluster.client.list("v1", "Event")), "a refusal")
    assert unscheduled(cluster, pod, "PersistentVolumeClaims").causes == [
        "claims: Unschedulable",
        "PersistentVolumeClaim default/data is Pending: "
        "no persistent volumes available for this claim and no storage class is set",
    ]
    cluster.client.delete(claim)


def test_a_webhook_whose_service_does_not_exist(cluster: Site) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["resourcequotas"]}
    service = {"namespace": "tools", "name": "hook"}
    hook = {
        "name": "check.example.com",
        "clientConfig": {"service": service},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    made = {"apiVersion": HOOKS, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "checks"}}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
    ref = ObjectRef.of(cluster.client.create({**made, "webhooks": [hook]}))

    def refusal() -> str:
        try:
            cluster.client.create({**quota, "spec": {"hard": {"pods": "100"}}})
        except WebhookFailed as error:
            return error.record.message
        cluster.client.delete(ObjectRef.of(quota))
        return ""

    found = diagnose_text(gather(cluster.client), cluster.until(refusal, "a refusal"))
    cluster.client.delete(ref)
    assert found.causes == [
        'ValidatingWebhookConfiguration checks calls service tools/hook, which does not answer: service "hook" not found',
        "service tools/hook does not exist",
    ]
    assert found.hint == "install what brings it, or delete the webhook"


def test_a_namespace_that_a_finalizer_holds(cluster: Site) -> None:
    held = ObjectRef("v1", "ConfigMap", "held", "going")
    place = ObjectRef("v1", "Namespace", "going")
    cluster.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "going"}})
    meta = {"name": "held", "namespace": "going", "finalizers": ["example.com/hold"]}
    cluster.client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    cluster.client.delete(place)
    cluster.until(lambda: "NamespaceFinalizersRemaining" in str(cluster.client.get(place)), "the namespace is held")
    assert diagnose_object(gather(cluster.client), place).causes == [
        "namespace going is being deleted",
        "Some resources are remaining: configmaps. has 1 resource instances; Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    ]
    cluster.client.patch(held, {"metadata": {"finalizers": None}})
