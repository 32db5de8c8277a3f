"""What kinds need of a simulated vCenter. Pure values."""

from __future__ import annotations

from typing import Literal

from aiinfra.dataclass import dataclass
from aiinfra.model.own_gpu import OwnGpu


@dataclass(frozen=True, slots=True)
class VCenterNeed:
    """What a stack asks of a vCenter: names as the file has them; a rehearsal provides them and says so."""

    datacenter: str
    """Path below the root folder: `dc1`, `europe/dc1`."""
    cluster: str
    """Path below the datacenter's folder of hosts: `gpu`, `prod/gpu`."""
    datastore: str
    """Path below the datacenter's folder of datastores."""
    folder: str
    """Path below the datacenter's folder of VMs; empty: that folder itself. As all paths here, `/…` when elsewhere."""
    source: str
    """Path of the template to clone, below the datacenter's folder of VMs; empty when there is none."""
    gpu_model: str | OwnGpu
    mode: Literal["vgpu", "mig", "passthrough"]
    gpus: int
    """How many GPUs one VM has."""
    label: str = ""
    pool: str = ""
    """Resource pool, by its path below the cluster's own; empty: that one."""
    host: str = ""
    """Name of the one host; empty: any."""
    pci_ids: tuple[str, ...] = ()
    """Where the cards of that host are."""
    group: str = ""
    """Name of a device group that the hosts give."""
    profile: str = ""
    """The vGPU profile of the group's devices."""
