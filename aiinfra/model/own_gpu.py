"""A GPU model that our table lacks, as a file describes it for the simulated world."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from aiinfra.facts.gpus import DISPLAY, THREE_D, Family, Gpu, UnknownGpu
from aiinfra.facts.gpus import gpu as known_gpu
from aiinfra.model.lab_model import LabModel
from aiinfra.model.units import Size


def _with_unit(raw: object) -> object:
    """Return a number of MiB, as `model_dump` writes sizes, with its unit."""
    return f"{raw}MiB" if isinstance(raw, int) and not isinstance(raw, bool) else raw


class OwnGpu(LabModel):
    """One model by what a machine shows of it: `lspci -nn` has the PCI device and class, `nvidia-smi` the rest."""

    name: Annotated[str, Field(min_length=1)]
    """As `nvidia-smi` says it: `NVIDIA GeForce RTX 3090 Ti`."""
    pci_device: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{4}$")]
    """The four hexadecimal digits behind `10de:`."""
    memory: Annotated[Size, BeforeValidator(_with_unit)]
    """`24GiB`."""
    architecture: Family | Literal["unknown"] = "unknown"
    """Decides with which drivers it works; of one that is unknown nothing is concluded."""
    compute: tuple[int, int] = (0, 0)
    """CUDA compute capability, major and minor."""
    mig_slices: Literal[0, 2, 4, 7] = 0
    """Compute slices of the whole GPU; 0 means it has no MIG."""
    display: bool = False
    """True for boards with outputs (PCI class 0300), false for 3D controllers (0302)."""

    @property
    def gpu(self) -> Gpu:
        return Gpu(
            self.name,
            self.pci_device.upper(),
            self.name,
            self.memory,
            self.architecture,
            self.compute,
            self.mig_slices,
            DISPLAY if self.display else THREE_D,
        )


def _known(name: str) -> str:
    try:
        return known_gpu(name).name if name else ""
    except UnknownGpu as error:
        raise ValueError(error.sentence) from error


KnownGpu = Annotated[str, AfterValidator(_known)]
"""A model by its name in `aiinfra.facts.gpus`, in any case; empty stays empty."""


def described_gpu(model: str | OwnGpu) -> Gpu | None:
    """Return the GPU of a checked description; None for an empty name."""
    if isinstance(model, OwnGpu):
        return model.gpu
    return known_gpu(model) if model else None


def model_of(raw: Any) -> Gpu | None:
    """Return the GPU of a description as JSON. Raises pydantic's `ValidationError` or `UnknownGpu`."""
    return described_gpu(raw if isinstance(raw, str) else OwnGpu.model_validate(raw))
