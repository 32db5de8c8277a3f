"""Pieces of Kubernetes objects that people write in environment files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A DNS label, as names of namespaces and most objects must be."""


class Toleration(BaseModel):
    """A taint that pods accept; fields as in Kubernetes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = ""
    """Empty with `operator: Exists` tolerates every taint."""
    operator: Literal["Exists", "Equal"] = "Exists"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    """Empty matches every effect."""

    def as_json(self) -> dict[str, str]:
        """As the API writes it, empty fields left out."""
        return {key: value for key, value in self.model_dump().items() if value}


GPU_TAINT = Toleration(key="nvidia.com/gpu", effect="NoSchedule")
"""The taint that clouds and people put on GPU nodes; GPU Operator's own operands tolerate it by default."""
