"""How much 64-bit MMIO space a VM with GPUs is given.

VMware's own controller sets 512 GB on every VM with a VirtualPCIPassthrough device (vmware-tanzu/vm-operator
`pkg/providers/vsphere/constants/constants.go`). The doubling rule is Dell's KB 000199172 and VMware's apps blog of
2018: sum the memory of the VM's GPUs; a power of two takes the next one, anything else is rounded up and doubled.
"""

from __future__ import annotations

from typing import Final

from aiinfra.dataclass import dataclass

ALWAYS_GB: Final = 512
SOURCE: Final = "vmware-tanzu/vm-operator constants; Dell KB 000199172"


@dataclass(frozen=True, slots=True)
class Mmio:
    """Both numbers, in GB, so that either can be shown."""

    gpu_memory_gb: int
    doubled_gb: int
    """Size by the doubling rule."""

    @property
    def size_gb(self) -> int:
        """The size that is set: the larger one."""
        return max(ALWAYS_GB, self.doubled_gb)

    def __str__(self) -> str:
        """Return why it is this size, as a sentence."""
        rule = f"{self.doubled_gb} GB by the doubling rule for {self.gpu_memory_gb} GB of GPU memory"
        return f"{self.size_gb} GB: the larger of {ALWAYS_GB} GB and {rule}"


def mmio(gpu_memory_mib: int) -> Mmio:
    """Return the sizes for all GPUs of one VM together. Raises `ValueError` for a VM without GPU memory."""
    if gpu_memory_mib <= 0:
        raise ValueError("a VM without GPU memory needs no MMIO space")
    gigabytes = -(-gpu_memory_mib // 1024)
    return Mmio(gigabytes, 2 * (1 << (gigabytes - 1).bit_length()))
