"""The pod by which the operator's validator shows on each node that CUDA works. Pure.

NVIDIA/gpu-operator v26.7.0 validator/manifests/cuda-workload-validation.yaml and cmd/nvidia-validator/main.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operands, policy
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.fate import CUDA_VALIDATOR, VALIDATOR
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Create, Effect, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, deleting, namespace
from aiinfra.domains.kubernetes.lab.standins.charts.release import KUBELET


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    """One CUDA pod for each validator whose `cuda-validation` runs; one from an earlier validator goes first."""
    instance = policy.active_policy(view.of("ClusterPolicy"))
    if instance is None:
        return
    for validator in view.select("Pod", {"app": VALIDATOR}):
        if deleting(validator) or not _running(validator, "cuda-validation"):
            continue
        node = validator["spec"]["nodeName"]
        existing = [p for p in view.select("Pod", {"app": CUDA_VALIDATOR}) if p["spec"].get("nodeName") == node]
        old = [pod for pod in existing if _created_at(pod) < _created_at(validator)]
        yield from (Remove(ObjectRef.of(pod)) for pod in old if not deleting(pod))
        if not existing:
            yield Create(cuda_pod(validator, instance))


def _created_at(pod: Object) -> str:
    return str(pod["metadata"]["creationTimestamp"])


def _running(pod: Object, container: str) -> bool:
    statuses = pod.get("status", {}).get("initContainerStatuses") or ()
    return any(s["name"] == container and "running" in s["state"] for s in statuses)


def cuda_pod(validator: Object, instance: Object) -> Object:
    image = validator["spec"]["containers"][0]["image"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{CUDA_VALIDATOR}-",
            "namespace": namespace(validator),
            "labels": {"app": CUDA_VALIDATOR},
            "annotations": dict(KUBELET),
            "ownerReferences": [operands.owner(instance)],
        },
        "spec": {
            "restartPolicy": "OnFailure",
            "nodeName": validator["spec"]["nodeName"],
            "tolerations": validator["spec"].get("tolerations", []),
            "initContainers": [
                {"name": "cuda-validation", "image": image, "command": ["sh", "-c"], "args": ["vectorAdd"]}
            ],
            "containers": [
                {
                    "name": CUDA_VALIDATOR,
                    "image": image,
                    "command": ["sh", "-c"],
                    "args": ["echo cuda workload validation is successful"],
                }
            ],
        },
    }
