"""The kinds that aiinfra can build. One folder a kind, one line here."""

from __future__ import annotations

from typing import Any

from aiinfra.stack import StackType
from stacks import existing_cluster, gpu_operator, gpu_proof, nfd

CATALOG: tuple[StackType[Any, Any], ...] = (
    existing_cluster.STACK,
    nfd.STACK,
    gpu_operator.STACK,
    gpu_proof.STACK,
)
