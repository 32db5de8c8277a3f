"""What the inputs ask for, failure domain by failure domain, as the resource takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stacks.vsphere_gpu_template.spec import GpuTemplateInputs, Place


def places(inputs: GpuTemplateInputs) -> dict[str, Place]:
    """By failure domain, in the order of names; a template without any has one place, under an empty name."""
    return dict(sorted(inputs.failure_domains.items())) or ({"": inputs.place} if inputs.place else {})


def wanted(inputs: GpuTemplateInputs, failure_domain: str, place: Place, base: Path = Path()) -> dict[str, Any]:
    """All that makes one template what it is: a change of any part needs another template.

    A relative path of an image starts at `base`.
    """
    return {
        "failure_domain": failure_domain,
        "place": place.model_dump(),
        "source": _source(inputs, base),
        "gpu": inputs.gpu.model_dump(mode="json"),
        "cpus": inputs.cpus,
        "cores_per_socket": inputs.cores_per_socket,
        "memory_mib": inputs.memory,
        "hardware_version": inputs.hardware_version,
        "mmio": inputs.mmio,
        "extra_config": inputs.extra_config,
    }


def _source(inputs: GpuTemplateInputs, base: Path) -> Any:
    if isinstance(inputs.source, str):
        return inputs.source
    return {**inputs.source.model_dump(), "ova": str(base / Path(inputs.source.ova).expanduser())}
