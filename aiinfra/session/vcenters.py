"""Which stacks work in a vCenter, and the look at it before they run. Imports no pyVmomi unless there are some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aiinfra.domains.vsphere.block import FIELD
from aiinfra.plan.planner import Step
from aiinfra.session.work import Turn
from aiinfra.stack import StackName


def in_vcenters(steps: Iterable[Step]) -> list[Step]:
    return [step for step in steps if FIELD in step.kind.connection]


def meet_vcenters(turn: Turn, chosen: Sequence[StackName], say: Callable[[str], None]) -> None:
    """Raises `NotReady`, before any step, when a stack that will run cannot succeed."""
    steps = in_vcenters(turn.plan.steps[name] for name in chosen)
    if steps := [step for step in steps if _will_run(turn, step)]:
        from aiinfra.domains.vsphere.preflight import require

        require(turn, steps, say)


def _will_run(turn: Turn, step: Step) -> bool:
    known = turn.journal.success(step.name)
    return not (turn.skip and known and known.digest == turn.digest(step))
