"""What a CUDA workload would answer on a machine of the lab. Nothing runs: the answer says so itself."""

from __future__ import annotations

import json

from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object

SIMULATED = "simulated"
VECTOR_ADD = "vectorAdd"
"""The program of NVIDIA's CUDA samples; the operator's validator image has it."""
NO_DEVICE = "Failed to allocate device vector A (error code no CUDA-capable device is detected)!"
"""What it prints where no driver is loaded (NVIDIA/cuda-samples vectorAdd.cu)."""


def gpus_requested(pod: Object) -> int:
    limits = (c.get("resources", {}).get("limits") or {} for c in pod["spec"]["containers"])
    return sum(int(count) for limit in limits for key, count in limit.items() if key.startswith("nvidia.com/"))


def adds_vectors(pod: Object) -> bool:
    """Whether the vector addition is what its first container runs."""
    container = pod["spec"]["containers"][0]
    return VECTOR_ADD in " ".join((*(container.get("command") or ()), *(container.get("args") or ())))


def answer(pod: Object, machine: Hardware) -> str:
    """Return the termination message of a pod that requests GPUs; empty for other pods.

    The message of a program that is not known here says only that it is simulated.
    """
    count = gpus_requested(pod)
    if not count or machine.gpu is None:
        return ""
    known = {"gpus": count, "product": machine.gpu.nvml_name, "vector_add": "ok"} if adds_vectors(pod) else {}
    return json.dumps({**known, SIMULATED: True}, sort_keys=True)
