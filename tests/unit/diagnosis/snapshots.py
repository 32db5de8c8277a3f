"""Objects as an API server shows them, for scenes that tests break in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_wants
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot
from aiinfra.domains.kubernetes.objects.wants import ClusterPolicyReady, ObjectWant

Object = dict[str, Any]
KERNEL = "5.14.0-570.el9"


def uid(kind: str, name: str) -> str:
    return f"uid-{kind}-{name}"


def an_object(api_version: str, kind: str, name: str, namespace: str = "", **parts: Any) -> Object:
    owner = parts.pop("owner", None)
    metadata: Object = {"name": name, "uid": uid(kind, name), "labels": parts.pop("labels", {})}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {"ownerReferences": [{"uid": owner["metadata"]["uid"], "kind": owner["kind"]}]} if owner else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def conditions(*found: tuple[str, ...]) -> list[dict[str, str]]:
    """Of `(type, status, reason, message)`."""
    keys = ("type", "status", "reason", "message")
    return [dict(zip(keys, entry, strict=False)) for entry in found]


def a_crd(plural: str = "clusterpolicies", kind: str = "ClusterPolicy", group: str = "nvidia.com") -> Object:
    return an_object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        f"{plural}.{group}",
        spec={"group": group, "names": {"kind": kind, "plural": plural}, "versions": [{"name": "v1", "served": True}]},
        status={"conditions": conditions(("NamesAccepted", "True"), ("Established", "True"))},
    )


def a_node(name: str, *, gpus: int = 8, taints: Sequence[Mapping[str, str]] = (), **labels: str) -> Object:
    known = {"feature.node.kubernetes.io/kernel-version.full": KERNEL, "nvidia.com/gpu.present": "true", **labels}
    status = {"conditions": conditions(("Ready", "True")), "allocatable": {"nvidia.com/gpu": str(gpus)}}
    return an_object("v1", "Node", name, labels=known, spec={"taints": list(taints)}, status=status)


def a_policy(ready: tuple[str, str, str] = ("False", "Error", ""), error: tuple[str, str, str] | None = None) -> Object:
    reason = error or ("True", "OperandNotReady", "ClusterPolicy is not ready; states not ready: [state-driver]")
    status = {"state": "notReady", "conditions": conditions(("Ready", *ready), ("Error", *reason))}
    return an_object("nvidia.com/v1", "ClusterPolicy", "cluster-policy", spec={}, status=status)


def a_deployment(name: str, namespace: str = "gpu-operator", *, available: int = 1, **labels: str) -> Object:
    status = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": available}
    return an_object("apps/v1", "Deployment", name, namespace, labels=labels, spec={"replicas": 1}, status=status)


def a_replica_set(deployment: Object) -> Object:
    name, namespace = f"{deployment['metadata']['name']}-5d8", deployment["metadata"]["namespace"]
    return an_object("apps/v1", "ReplicaSet", name, namespace, owner=deployment, spec={"replicas": 1}, status={})


def a_daemon_set(
    name: str, owner: Object | None = None, *, namespace: str = "gpu-operator", desired: int = 2, **parts: Any
) -> Object:
    current = parts.pop("current", desired)
    spec = {"template": {"spec": {"tolerations": parts.pop("tolerations", [])}}, "updateStrategy": {"type": "OnDelete"}}
    status = {"desiredNumberScheduled": desired, "currentNumberScheduled": current}
    labels = {"app": name, **parts.pop("labels", {})}
    return an_object(
        "apps/v1", "DaemonSet", name, namespace, labels=labels, owner=owner, spec=spec, status=status, **parts
    )


def waiting(container: str, reason: str, message: str = "", last: str = "", code: int = 1) -> Object:
    """Status of a container that waits; `last` are its last words before."""
    ended = {"terminated": {"exitCode": code, "message": last, "reason": "Error"}} if last or code != 1 else {}
    return {"name": container, "state": {"waiting": {"reason": reason, "message": message}}, "lastState": ended}


def running(container: str, *, ready: bool = True) -> Object:
    return {"name": container, "state": {"running": {}}, "ready": ready}


def a_pod(
    owner: Object, node: str, *statuses: Object, image: str = "registry.example/image:1", init: int = 0
) -> Object:
    """Its first `init` statuses are of init containers."""
    ready = all(status.get("ready") for status in statuses)
    containers = [{"name": status["name"], "image": image} for status in statuses]
    return an_object(
        "v1",
        "Pod",
        f"{owner['metadata']['name']}-{node or 'pending'}",
        owner["metadata"]["namespace"],
        labels={"app": owner["metadata"]["labels"].get("app", "")},
        owner=owner,
        spec={"nodeName": node, "initContainers": containers[:init], "containers": containers[init:]},
        status={
            "phase": "Running" if ready else "Pending",
            "conditions": conditions(("PodScheduled", "True"), ("Ready", "True" if ready else "False")),
            "initContainerStatuses": list(statuses[:init]),
            "containerStatuses": list(statuses[init:]),
        },
    )


def an_unscheduled_pod(owner: Object, message: str) -> Object:
    pod = a_pod(owner, "")
    found = conditions(("PodScheduled", "False", "Unschedulable", message))
    return {**pod, "status": {"phase": "Pending", "conditions": found}}


def a_warning(about: Object, reason: str, message: str, at: str = "2026-01-01T00:00:00Z") -> Object:
    name = f"{about['metadata']['name']}.{abs(hash((reason, message, at))):x}"
    involved = {"uid": about["metadata"]["uid"]}
    event = an_object("v1", "Event", name, about["metadata"].get("namespace", "default"), involvedObject=involved)
    return {**event, "type": "Warning", "reason": reason, "message": message, "lastTimestamp": at}


def a_snapshot(*objects: Object | Sequence[Object], unasked: frozenset[str] = frozenset()) -> Snapshot:
    flat = [each for obj in objects for each in (obj if isinstance(obj, list) else [obj])]
    return Snapshot([obj for obj in flat if isinstance(obj, dict)], unasked)


def gpu_nodes() -> list[Object]:
    return [a_node("gpu-0"), a_node("gpu-1")]


def an_operator() -> list[Object]:
    """The operator's Deployment, its pod at work, and the kind that it looks after."""
    deployment = a_deployment("gpu-operator", app="gpu-operator")
    replicas = a_replica_set(deployment)
    return [a_crd(), deployment, replicas, a_pod(replicas, "cpu-0", running("gpu-operator"))]


POLICY_WANT = ObjectWant(ObjectRef("nvidia.com/v1", "ClusterPolicy", "cluster-policy"), ClusterPolicyReady())
DRIVER_IMAGE = f"nvcr.io/nvidia/driver:595-{KERNEL}-rhel9"
NOT_FOUND = 'Back-off pulling image "x": ErrImagePull: rpc error: code = NotFound desc = failed to pull: x: not found'


def diagnosed(snapshot: Snapshot) -> Diagnosis:
    """What keeps the ClusterPolicy from being ready."""
    return diagnose_wants(snapshot, [POLICY_WANT])


def a_driver(policy: Object, *nodes: str, status: Object | None = None, image: str = DRIVER_IMAGE) -> list[Object]:
    """The driver's DaemonSet with a pod on each node, all in one state."""
    driver = a_daemon_set("nvidia-driver-daemonset", policy)
    state = status or waiting("nvidia-driver-ctr", "ImagePullBackOff", NOT_FOUND)
    return [driver, *(a_pod(driver, node, state, image=image) for node in nodes)]


def a_victim(policy: Object, name: str = "nvidia-container-toolkit-daemonset") -> list[Object]:
    """An operand whose init container waits for the driver."""
    operand = a_daemon_set(name, policy)
    waits = running("driver-validation", ready=False)
    return [operand, a_pod(operand, "gpu-0", waits, waiting("ctr", "PodInitializing"), init=1)]
