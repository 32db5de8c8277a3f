"""What kinds need of a simulated vCenter. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class VCenterNeed:
    """What a stack asks of a vCenter: names as the file has them; a rehearsal provides them and says so."""

    datacenter: str
    cluster: str
    datastore: str
    folder: str
    """Below the datacenter's folder of VMs; empty: that one."""
    source: str
    """Of a template, below the same folder; empty when there is none."""
    gpu_model: str
    mode: Literal["vgpu", "mig", "passthrough"]
    gpus: int
    """In one VM."""
    label: str = ""
