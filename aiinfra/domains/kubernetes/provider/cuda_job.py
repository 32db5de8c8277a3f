"""The Job that proves a GPU: what it runs, and how its answer is read. Pure.

It runs the vector addition that the GPU Operator's own validator brings (NVIDIA/gpu-operator v26.7.0
validator/manifests/plugin-workload-validation.yaml), from the image that the cluster uses for it, so that no other
image is needed. The pod writes its answer as JSON to its termination log.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiinfra.dataclass import dataclass
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
NAME_LIMIT: Final = 57
"""Characters of a Job's name, so that its pods' names, and the label that holds it, stay under 63."""


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


def reference(stack: str, name: str, namespace: str, node: str = "") -> ObjectRef:
    """The Job of the proof resource `name` of a stack on a node; without one, what their names begin with."""
    beginning = f"aiinfra-{stack}-{name}"
    return ObjectRef("batch/v1", "Job", f"{beginning}-{_short(node, len(beginning))}" if node else beginning, namespace)


def _short(node: str, before: int) -> str:
    """The node's name as it fits into a label's value behind so many characters; a digest keeps it unique."""
    if "." not in node and before + 1 + len(node) <= NAME_LIMIT:
        return node
    digest = hashlib.sha256(node.encode()).hexdigest()[:8]
    room = max(0, NAME_LIMIT - before - len(digest) - 2)
    return "-".join(filter(None, (re.sub(r"[^a-z0-9-]", "-", node)[:room].strip("-"), digest)))


def image_of(validators: Sequence[Object], configured: Image) -> Image:
    """The image of the cluster's validator DaemonSet, else the one that the operator was configured with.

    What the operator made of its values is nearer to the truth than the values; the secrets of both are given.
    """
    found = next((d for d in validators if d["metadata"]["name"] == VALIDATOR), None)
    if found is None:
        return configured
    spec = found["spec"]["template"]["spec"]
    secrets = [*(spec.get("imagePullSecrets") or ()), *configured.pull_secrets]
    return Image(spec["containers"][0]["image"], [s for i, s in enumerate(secrets) if s not in secrets[:i]])


@dataclass(frozen=True, slots=True)
class Workload:
    """What the pods of a proof have in common."""

    marks: Mapping[str, str]
    image: Image
    tolerations: Sequence[Mapping[str, Any]] = ()
    """As the API writes them."""


def job(ref: ObjectRef, workload: Workload, resource: str, node: str, seconds: int) -> Object:
    """The Job that asks `node` for one unit of `resource`, and gives up after `seconds`.

    Its pod is bound to the node by affinity, so that the scheduler still judges cordons, taints and free devices.
    """
    marks, image = workload.marks, workload.image
    container = {
        "name": "cuda",
        "image": image.name,
        "command": ["sh", "-c", script()],
        "resources": {"limits": {resource: 1}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {"allowPrivilegeEscalation": False},
    }
    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [here]}}
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "affinity": {"nodeAffinity": required},
        "tolerations": list(workload.tolerations),
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
