"""What a node of the lab is made of, as the lab wrote it on the node. Controllers learn of GPUs only from here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.lab.controllers.view import Object, annotation
from aiinfra.domains.kubernetes.lab.nodes import HARDWARE
from aiinfra.facts.gpus import Gpu
from aiinfra.model.own_gpu import model_of


@dataclass(frozen=True, slots=True)
class Hardware:
    """One machine."""

    gpu: Gpu | None = None
    gpus: int = 0
    os: str = "ubuntu24.04"
    """ID and VERSION_ID of its os-release, written together."""
    kernel: str = "6.8.0-85-generic"
    machine: str = "Lab-Machine"
    host_driver: str = ""
    """Version of a driver that the machine's image brings; empty when it brings none."""
    vgpu: str = ""
    """NVIDIA's name of the vGPUs that a hypervisor gives it (`A100-20C`); empty: whole GPUs."""

    @property
    def os_release(self) -> tuple[str, str]:
        """ID and VERSION_ID, such as `("ubuntu", "24.04")`."""
        found = re.fullmatch(r"([a-z]+)([\d.]*)", self.os)
        return (found[1], found[2]) if found else (self.os, "")


def of_node(node: Object) -> Hardware:
    """Return the hardware of a node; one without the annotation has no GPU."""
    return _parsed(annotation(node, HARDWARE) or "{}")


@lru_cache(maxsize=64)
def _parsed(text: str) -> Hardware:
    raw = json.loads(text)
    model = raw.get("gpu") or ""
    texts = {key: str(raw[key]) for key in ("os", "kernel", "machine", "host_driver", "vgpu") if raw.get(key)}
    return Hardware(model_of(model), int(raw.get("gpus") or 0) if model else 0, **texts)


def asks_for_gpus(pod: Object) -> bool:
    """Whether the pod requests GPUs. The controllers play its life, because kwok does not know GPUs."""
    limits = (c.get("resources", {}).get("limits") or {} for c in pod["spec"]["containers"])
    return any(key.startswith("nvidia.com/") for limit in limits for key in limit)


def with_gpus(nodes: Iterable[Object]) -> list[Object]:
    return [node for node in nodes if of_node(node).gpus]
