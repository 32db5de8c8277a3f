"""How sure a plan can be of each stack, and how long it may take, from the file and the history. Pure.

`unknown` when a stack takes an output that nobody knows yet; `likely` when its kind says that others decide a part of
the outcome (`StackType.external`); otherwise `exact`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Literal

from aiinfra.dataclass import dataclass
from aiinfra.plan.planner import Plan, Step
from aiinfra.plan.references import references
from aiinfra.stack import SECRET, StackName


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure a plan is of one stack."""

    until: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Outputs that the stack takes and nobody knows yet, by the stack that will give them."""
    external: str = ""
    """What others decide of the outcome, in words."""

    @property
    def level(self) -> Literal["exact", "likely", "unknown"]:
        return "unknown" if self.until else "likely" if self.external else "exact"

    def __str__(self) -> str:
        if self.until:
            awaited = (f"{stack}: {', '.join(outputs)}" for stack, outputs in self.until.items())
            return f"unknown until {'; '.join(awaited)}"
        return f"likely: {self.external}" if self.external else "exact"


@dataclass(frozen=True, slots=True)
class History:
    """What earlier runs recorded of an environment."""

    ran: frozenset[str] = frozenset()
    """Stacks that are up as their last run left them, so that their outputs are known."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each stack's last `up` took, for the stacks that ever ran."""
    asked: bool = True
    """False when the record is in a storage that was not read."""


NO_HISTORY = History()


def certainties(plan: Plan, history: History = NO_HISTORY) -> dict[StackName, Certainty]:
    """Return the certainty of each stack, in the order of the plan."""
    known: dict[StackName, frozenset[str]] = {}
    found: dict[StackName, Certainty] = {}
    for name, step in plan.steps.items():
        until = _awaited_outputs(plan, step, known)
        found[name] = Certainty(until, step.kind.external)
        known[name] = _known_outputs(plan, step, known, ran=name in history.ran)
    return found


def _awaited_outputs(plan: Plan, step: Step, known: Mapping[StackName, frozenset[str]]) -> dict[str, list[str]]:
    until: dict[str, list[str]] = {}
    for _, ref in references(plan.environment.stacks[step.name]):
        given = ref.output[:1] or public_outputs(plan.steps[ref.stack])
        missing = [output for output in given if output not in known[ref.stack]]
        until.setdefault(ref.stack, []).extend(missing)
    return {stack: list(dict.fromkeys(outputs)) for stack, outputs in until.items() if outputs}


def _known_outputs(plan: Plan, step: Step, known: Mapping[StackName, frozenset[str]], *, ran: bool) -> frozenset[str]:
    """Return the outputs that are known: all of a stack that ran, else its `known_outputs` once its inputs are."""
    if ran:
        return frozenset(step.kind.outputs.model_fields)
    linked = [ref for _, ref in references(plan.environment.stacks[step.name]) if ref.output]
    return frozenset(step.kind.known_outputs if all(ref.output[0] in known[ref.stack] for ref in linked) else ())


def public_outputs(step: Step) -> list[str]:
    """Return the outputs of a stack that a plan may name: all but the secret ones."""
    fields = step.kind.outputs.model_fields.items()
    return [name for name, info in fields if SECRET not in info.metadata]


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The stacks, each needed by the next, that no run can be shorter than."""

    stacks: Sequence[str]
    seconds: float | None
    """How long those that ever ran take; None when none did."""
    fresh: Sequence[str]
    """Those that never ran."""

    def as_json(self) -> dict[str, object]:
        path = {"stacks": list(self.stacks), "usual_seconds": self.seconds, "never_ran": list(self.fresh)}
        return {"critical_path": path}


def critical_path(plan: Plan, history: History = NO_HISTORY) -> CriticalPath:
    """Return the path of dependencies that took longest in earlier runs; of equal ones that with most stacks."""
    paths: dict[str, tuple[float, tuple[str, ...]]] = {}
    for name, step in plan.steps.items():
        before = max((paths[need] for need in sorted(step.needs)), key=_weight, default=(0.0, ()))
        paths[name] = (before[0] + history.seconds.get(name, 0.0), (*before[1], name))
    seconds, stacks = max(paths.values(), key=_weight, default=(0.0, ()))
    fresh = [name for name in stacks if name not in history.seconds]
    return CriticalPath(stacks, None if len(fresh) == len(stacks) else seconds, fresh)


def _weight(path: tuple[float, tuple[str, ...]]) -> tuple[float, int]:
    return path[0], len(path[1])
