"""Which stacks of a plan a run takes: `--only`, `--from`, `--until`."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.errors import ConfigError
from aiinfra.plan.graph import downstream, upstream
from aiinfra.plan.planner import Plan
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.stack import StackName


def select(plan: Plan, *, only: Sequence[str] = (), from_: str = "", until: str = "") -> tuple[StackName, ...]:
    """Return the chosen stacks in the order of the plan.

    `only`: exactly these. `from_`: that stack and all that need it. `until`: that stack and all it needs.
    Given together, what all of them choose. Raises `ConfigError` for a name that is no stack, or an empty choice.
    """
    for flag, names in (("--only", only), ("--from", [from_]), ("--until", [until])):
        require_stacks(plan, flag, [name for name in names if name])
    chosen = set(plan.steps)
    if only:
        chosen &= {StackName(name) for name in only}
    if from_:
        chosen &= downstream(plan.needs, [StackName(from_)])
    if until:
        chosen &= upstream(plan.needs, [StackName(until)])
    if not chosen:
        where = "--only, --from, --until"
        raise ConfigError("these flags together choose no stack", code="config.empty_selection", where=where)
    return tuple(name for name in plan.steps if name in chosen)


def require_stacks(plan: Plan, flag: str, names: Sequence[str]) -> None:
    """Check that every name is a stack. Raises `ConfigError` for the first that is none; `flag` names its source."""
    for name in names:
        if name not in plan.steps:
            raise ConfigError(
                f"no stack is named {name}",
                code="config.unknown_stack",
                where=flag,
                hint=did_you_mean(name, plan.steps),
            )
