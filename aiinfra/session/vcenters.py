"""Which stacks work in a vCenter."""

from __future__ import annotations

from collections.abc import Iterable

from aiinfra.domains.vsphere.block import FIELD
from aiinfra.plan.planner import Step


def in_vcenters(steps: Iterable[Step]) -> list[Step]:
    return [step for step in steps if FIELD in step.kind.connection]
