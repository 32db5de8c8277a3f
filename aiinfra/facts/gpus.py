"""The GPUs we know: how each is named and numbered where it shows up.

PCI device ids: pciutils/pciids `pci.ids`. NVML names: NVIDIA/open-gpu-kernel-modules `README.md`, device table.
MIG: NVIDIA MIG User Guide r610, supported GPUs. Memory in MiB as cloud APIs report it:
aws/karpenter-provider-aws `instance-types.md`; nominal for models that no cloud lists. Families:
NVIDIA/k8s-device-plugin `internal/lm/resource.go`. NVML names before Turing, which NVIDIA's table leaves out: logs in
public reports.

A model is never derived from a device id alone: A2 and A16 share 25B6 and differ in the subsystem id.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Literal

from aiinfra.dataclass import dataclass

PCI_VENDOR = "10de"
"""NVIDIA's PCI vendor id."""

Family = Literal["pascal", "volta", "turing", "ampere", "ada-lovelace", "hopper", "blackwell"]

DISPLAY, THREE_D = "0300", "0302"
"""PCI classes of a GPU: VGA-compatible controller (boards with outputs) and 3D controller (data centre)."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One model. `name` is the key that environment files use."""

    name: str
    pci_device: str
    """Four hexadecimal digits, upper case."""
    nvml_name: str
    """Product name as NVML says it; GFD's label has dashes for spaces."""
    memory_mib: int
    family: Family | Literal["unknown"]
    compute: tuple[int, int]
    """CUDA compute capability, major and minor."""
    mig_slices: int = 0
    """Compute slices of the whole GPU; 0 means it has no MIG."""
    pci_class: str = THREE_D
    pci_subsystem: str = ""
    """Set where the device id is not unique."""

    @property
    def mig_capable(self) -> bool:
        return self.mig_slices > 0

    @property
    def product_label(self) -> str:
        """The value of `nvidia.com/gpu.product` without sharing and MIG suffixes."""
        return self.nvml_name.replace(" ", "-")

    @property
    def device_filter(self) -> str:
        """The model as mig-parted spells it: device first, vendor last (`0x20B210DE`)."""
        return f"0x{self.pci_device}{PCI_VENDOR.upper()}"


class UnknownGpu(LookupError):
    """No GPU has this name; `near` is the closest one that exists, or empty."""

    def __init__(self, name: str, near: str) -> None:
        super().__init__(name)
        self.name, self.near = name, near

    @property
    def sentence(self) -> str:
        """What is wrong, with the name that is near, or else every name that is known."""
        more = f"did you mean {self.near!r}?" if self.near else f"known are {', '.join(GPUS)}"
        return f"no GPU model is named {self.name!r}; {more}"


_TABLE = (
    Gpu("P4", "1BB3", "Tesla P4", 8192, "pascal", (6, 1)),
    Gpu("P40", "1B38", "Tesla P40", 24576, "pascal", (6, 1)),
    Gpu("P100-PCIe-16GB", "15F8", "Tesla P100-PCIE-16GB", 16384, "pascal", (6, 0)),
    Gpu("V100-SXM2-16GB", "1DB1", "Tesla V100-SXM2-16GB", 16384, "volta", (7, 0)),
    Gpu("V100-SXM2-32GB", "1DB5", "Tesla V100-SXM2-32GB", 32768, "volta", (7, 0)),
    Gpu("V100-PCIe-16GB", "1DB4", "Tesla V100-PCIE-16GB", 16384, "volta", (7, 0)),
    Gpu("V100-PCIe-32GB", "1DB6", "Tesla V100-PCIE-32GB", 32768, "volta", (7, 0)),
    Gpu("T4", "1EB8", "Tesla T4", 16384, "turing", (7, 5)),
    Gpu("Quadro-RTX-6000", "1E30", "Quadro RTX 6000", 24576, "turing", (7, 5), pci_class=DISPLAY),
    Gpu("A2", "25B6", "NVIDIA A2", 16384, "ampere", (8, 6), pci_subsystem="157E"),
    Gpu("A16", "25B6", "NVIDIA A16", 16384, "ampere", (8, 6), pci_subsystem="14A9"),
    Gpu("A10", "2236", "NVIDIA A10", 24576, "ampere", (8, 6)),
    Gpu("A10G", "2237", "NVIDIA A10G", 22888, "ampere", (8, 6)),
    Gpu("A30", "20B7", "NVIDIA A30", 24576, "ampere", (8, 0), mig_slices=4),
    Gpu("A40", "2235", "NVIDIA A40", 46068, "ampere", (8, 6)),
    Gpu("RTX-A5000", "2231", "NVIDIA RTX A5000", 24564, "ampere", (8, 6), pci_class=DISPLAY),
    Gpu("RTX-A6000", "2230", "NVIDIA RTX A6000", 49140, "ampere", (8, 6), pci_class=DISPLAY),
    Gpu("A100-SXM4-40GB", "20B0", "NVIDIA A100-SXM4-40GB", 40960, "ampere", (8, 0), mig_slices=7),
    Gpu("A100-PCIe-40GB", "20F1", "NVIDIA A100-PCIE-40GB", 40960, "ampere", (8, 0), mig_slices=7),
    Gpu("A100-SXM4-80GB", "20B2", "NVIDIA A100-SXM4-80GB", 81920, "ampere", (8, 0), mig_slices=7),
    Gpu("A100-PCIe-80GB", "20B5", "NVIDIA A100 80GB PCIe", 81920, "ampere", (8, 0), mig_slices=7),
    Gpu("L4", "27B8", "NVIDIA L4", 22888, "ada-lovelace", (8, 9)),
    Gpu("L20", "26BA", "NVIDIA L20", 49140, "ada-lovelace", (8, 9)),
    Gpu("L40", "26B5", "NVIDIA L40", 45776, "ada-lovelace", (8, 9)),
    Gpu("L40S", "26B9", "NVIDIA L40S", 45776, "ada-lovelace", (8, 9)),
    Gpu("GeForce-RTX-4090", "2684", "NVIDIA GeForce RTX 4090", 24564, "ada-lovelace", (8, 9), pci_class=DISPLAY),
    Gpu("RTX-6000-Ada", "26B1", "NVIDIA RTX 6000 Ada Generation", 49140, "ada-lovelace", (8, 9), pci_class=DISPLAY),
    Gpu("H100-SXM5-80GB", "2330", "NVIDIA H100 80GB HBM3", 81920, "hopper", (9, 0), mig_slices=7),
    Gpu("H100-PCIe-80GB", "2331", "NVIDIA H100 PCIe", 81920, "hopper", (9, 0), mig_slices=7),
    Gpu("H100-NVL", "2321", "NVIDIA H100 NVL", 96256, "hopper", (9, 0), mig_slices=7),
    Gpu("H20", "2329", "NVIDIA H20", 98304, "hopper", (9, 0), mig_slices=7),
    Gpu("H800-PCIe", "2322", "NVIDIA H800 PCIe", 81920, "hopper", (9, 0), mig_slices=7),
    Gpu("H800", "2324", "NVIDIA H800", 81920, "hopper", (9, 0), mig_slices=7),
    Gpu("H200", "2335", "NVIDIA H200", 144384, "hopper", (9, 0), mig_slices=7),
    Gpu("H200-NVL", "233B", "NVIDIA H200 NVL", 144384, "hopper", (9, 0), mig_slices=7),
    Gpu("GH200-480GB", "2342", "NVIDIA GH200 480GB", 98304, "hopper", (9, 0), mig_slices=7),
    Gpu("GH200-144G-HBM3e", "2348", "NVIDIA GH200 144G HBM3e", 147456, "hopper", (9, 0), mig_slices=7),
    Gpu("B200", "2901", "NVIDIA B200", 183359, "blackwell", (10, 0), mig_slices=7),
    Gpu("GB200", "2941", "NVIDIA GB200", 189471, "blackwell", (10, 0), mig_slices=7),
    Gpu(
        "RTX-PRO-6000-Blackwell-Server",
        "2BB5",
        "NVIDIA RTX PRO 6000 Blackwell Server Edition",
        98304,
        "blackwell",
        (12, 0),
        mig_slices=4,
    ),
)
GPUS: Mapping[str, Gpu] = {gpu.name: gpu for gpu in _TABLE}
"""By the name that environment files use. Models whose NVML name no source confirms are left out."""


_BY_ANY_NAME = {label.lower(): gpu for gpu in _TABLE for label in (gpu.name, gpu.product_label, f"NVIDIA-{gpu.name}")}


def gpu(name: str) -> Gpu:
    """Return the GPU of that name in any case; also by product label (`NVIDIA-H100-80GB-HBM3`). Raises `UnknownGpu`."""
    known = _BY_ANY_NAME.get(name.lower())
    if known is None:
        raise UnknownGpu(name, nearest(name))
    return known


def nearest(name: str) -> str:
    """Return the known name that is closest to `name` by spelling, or empty."""
    by_lower = {known.lower(): known for known in GPUS}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[close[0]] if close else ""
