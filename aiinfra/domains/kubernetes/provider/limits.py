"""How long a wait may take that follows the number of nodes, and in which words that is told. Pure.

On a first install the driver is built on all nodes at once. After a change the GPU Operator replaces it on some nodes
at a time: at most `maxParallelUpgrades` (0: without that bound), and no more than `maxUnavailable` of all nodes.
Source: NVIDIA/k8s-operator-libs pkg/upgrade/upgrade_state.go, as in NVIDIA/gpu-operator v26.7.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import GPU_PRESENT
from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.objects.wants import carries


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of one wait."""

    seconds: float
    source: str = ""
    """How it comes about, in words; empty where nothing is to be told."""


def first_limit(seconds: float, per_node: float) -> Limit:
    """Return the limit of a first install, which all nodes share; without `per_node` nothing is told of it."""
    return Limit(seconds, f"{span(seconds)}, for all nodes at once" if per_node else "")


def upgrade_limit(seconds: float, per_node: float, policy: Object | None, nodes: Sequence[Object]) -> Limit:
    """Return the limit of a change: `seconds` for the first nodes, and `per_node` for each round that follows."""
    count = sum(carries(node, f"{GPU_PRESENT}=true") for node in nodes)
    if not per_node or policy is None or count < 2:
        return first_limit(seconds, per_node)
    at_once = _at_once(((policy.get("spec") or {}).get("driver") or {}).get("upgradePolicy") or {}, count)
    rounds = math.ceil(count / at_once) - 1
    if not rounds:
        return first_limit(seconds, per_node)
    further = "another round" if rounds == 1 else f"each of {rounds} further rounds"
    source = (
        f"{span(seconds)}, and {span(per_node)} for {further},"
        f" as drivers are upgraded on {at_once} of {count} nodes at a time"
    )
    return Limit(seconds + rounds * per_node, source)


def span(seconds: float) -> str:
    """`90 s`, `40 min`, `2 h 20 min`."""
    whole = round(seconds)
    if whole < 120 or whole % 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    parts = (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")
    return " ".join(filter(None, parts))


def _at_once(upgrades: Mapping[str, Any], nodes: int) -> int:
    parallel = int(upgrades.get("maxParallelUpgrades", 1)) or nodes
    unavailable = str(upgrades.get("maxUnavailable") or "100%")
    bound = math.ceil(nodes * int(unavailable[:-1]) / 100) if unavailable.endswith("%") else int(unavailable)
    return max(1, min(parallel, bound, nodes))
