"""What a CUDA workload would answer on a machine of the lab. Nothing runs: the answer says so itself."""

from __future__ import annotations

import json

from aiinfra.lab.controllers.hardware import Hardware
from aiinfra.lab.controllers.view import Object

SIMULATED = "simulated"


def gpus_requested(pod: Object) -> int:
    limits = (c.get("resources", {}).get("limits") or {} for c in pod["spec"]["containers"])
    return sum(int(count) for limit in limits for key, count in limit.items() if key.startswith("nvidia.com/"))


def answer(pod: Object, machine: Hardware) -> str:
    """Termination message of a pod that was given GPUs, empty for others."""
    count = gpus_requested(pod)
    if not count or machine.gpu is None:
        return ""
    product = machine.gpu.nvml_name
    return json.dumps({"gpus": count, "product": product, "vector_add": "ok", SIMULATED: True}, sort_keys=True)
