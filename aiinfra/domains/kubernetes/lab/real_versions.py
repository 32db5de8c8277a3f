"""Which versions of operators a lab has for real. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiinfra.domains.kubernetes.lab.tools import GPU_OPERATOR
from aiinfra.domains.kubernetes.needs import RealOperator
from aiinfra.stack import StackName

VERSIONS: Final[Mapping[str, str]] = {"gpu-operator": f"v{GPU_OPERATOR}"}
"""Of charts, by name."""


def real_operators(clusters: Iterable[StackName | None]) -> Sequence[RealOperator]:
    """Return what runs in these clusters, with None in all of them."""
    return [RealOperator(cluster, chart, version) for cluster in clusters for chart, version in VERSIONS.items()]
