"""Which versions of operators a lab has for real, and the refusal of others before anything starts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from aiinfra.domains.kubernetes.lab.tools import GPU_OPERATOR
from aiinfra.domains.kubernetes.needs import OperatorNeed
from aiinfra.errors import ConfigError
from aiinfra.lab.domains import hardware_needs
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.plan.planner import Plan

VERSIONS: Final[Mapping[str, str]] = {"gpu-operator": f"v{GPU_OPERATOR}"}


def refuse_other_versions(plan: Plan, real: Collection[StackName]) -> None:
    """Raise `ConfigError` `lab.not_simulated` for a stack that wants a version that cannot be had for real."""
    for need in hardware_needs(plan):
        if not isinstance(need, OperatorNeed) or need.cluster not in real:
            continue
        if need.version != VERSIONS[need.operator]:
            having = VERSIONS[need.operator]
            raise ConfigError(
                f"with operators: real a lab has {need.operator} {having}, not {need.version}",
                code="lab.not_simulated",
                where=f"stacks.{need.stack}.version",
                hint=f"--set stacks.{need.stack}.version={having}, or leave out operators: real",
            )
