"""The Job that proves a GPU: what it runs, and how its answer is read. Pure.

It runs the vector addition that the GPU Operator's own validator brings (NVIDIA/gpu-operator v26.7.0
validator/manifests/plugin-workload-validation.yaml), from the image that the cluster uses for it, so that no other
image is needed. The pod writes its answer as JSON to its termination log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import VALIDATOR_IMAGE
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef

VALIDATOR = "nvidia-operator-validator"
_SCRIPT: Final = """
out=$(vectorAdd 2>&1) || { echo "$out"; exit 1; }
case "$out" in *"Test PASSED"*) ;; *) echo "$out"; exit 1 ;; esac
{ nvidia-smi -L 2>/dev/null || true; } | {
  gpus=0 slices=0 product= slice=
  while read -r line; do
    case "$line" in
      GPU*) gpus=$((gpus + 1)) product=${line#*: } product=${product%% (UUID*} ;;
      MIG*) slices=$((slices + 1)) slice=${line#MIG } slice=" MIG ${slice%% *}" ;;
    esac
  done
  [ "$slices" = 0 ] || gpus=$slices
  printf '{"gpus": %d, "product": "%s%s", "vector_add": "ok"}' "$gpus" "$product" "$slice" > TERMINATION_LOG
}
"""
EXPECTED = "ok"


@dataclass(frozen=True, slots=True)
class Image:
    name: str
    pull_secrets: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a pod that ended well wrote."""

    node: str
    gpus: int
    product: str
    simulated: bool

    def __str__(self) -> str:
        what = f"{self.product}, {self.gpus} GPU{'s' if self.gpus != 1 else ''}" if self.product else "product not told"
        ran = f"CUDA vector addition on {self.node} ({what}) gave the expected answer"
        return f"{ran}; the run was simulated" if self.simulated else ran


def script(log: str = "/dev/termination-log") -> str:
    """What the pod runs. It needs a shell and nothing else: NVIDIA's images have few tools beside it.

    `nvidia-smi -L` lists a card and, below it, its MIG devices (NVIDIA MIG user guide, "Running CUDA applications as
    containers"): where a pod was given slices, those count.
    """
    return _SCRIPT.replace("TERMINATION_LOG", log)


def reference(stack: str, name: str, namespace: str) -> ObjectRef:
    """The Job of the proof resource `name` of a stack."""
    return ObjectRef("batch/v1", "Job", f"aiinfra-{stack}-{name}", namespace)


def image_of(validators: Sequence[Object]) -> Image:
    """The image of the cluster's validator DaemonSet, else the one that the operator ships."""
    found = next((d for d in validators if d["metadata"]["name"] == VALIDATOR), None)
    if found is None:
        return Image(str(VALIDATOR_IMAGE))
    spec = found["spec"]["template"]["spec"]
    return Image(spec["containers"][0]["image"], spec.get("imagePullSecrets") or ())


def job(ref: ObjectRef, marks: Mapping[str, str], resource: str, image: Image, seconds: int) -> Object:
    """`seconds` after which the Job gives up."""
    container = {
        "name": "cuda",
        "image": image.name,
        "command": ["sh", "-c", script()],
        "resources": {"limits": {resource: 1}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {"allowPrivilegeEscalation": False},
    }
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "containers": [container],
    }
    pod |= {"imagePullSecrets": list(image.pull_secrets)} if image.pull_secrets else {}
    template = {"metadata": {"labels": dict(marks)}, "spec": pod}
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": dict(marks)},
        "spec": {"backoffLimit": 1, "activeDeadlineSeconds": seconds, "template": template},
    }


def answer(pod: Object) -> Answer | None:
    """None when the pod's termination message is no answer, or not the expected one."""
    ended = next((s.get("state", {}).get("terminated") for s in pod["status"].get("containerStatuses") or ()), None)
    try:
        message = json.loads((ended or {}).get("message") or "")
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("vector_add") != EXPECTED:
        return None
    product, gpus = str(message.get("product") or ""), int(message.get("gpus") or 0)
    return Answer(str(pod["spec"].get("nodeName")), gpus, product, bool(message.get("simulated")))
