"""How sure a plan can be of each stack, and how long it may take, from the file and what earlier runs left. Pure.

`unknown` when a stack takes an output that nobody knows yet; `likely` when its kind says that others decide a part of
the outcome (`StackType.external`); otherwise `exact`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiinfra.plan.planner import Plan, Step
from aiinfra.plan.references import references
from aiinfra.stack import SECRET, StackName


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure a plan is of one stack."""

    until: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Outputs that the stack takes and nobody knows yet, by the stack that will give them."""
    external: str = ""
    """What others decide, in words."""

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
    """What earlier runs left on record of an environment."""

    ran: frozenset[str] = frozenset()
    """Stacks that stand as their last run left them, so that their outputs are known."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each stack's `up` takes, where it ever took any."""
    asked: bool = True
    """False when the record lies where it was not read."""


NO_HISTORY = History()


def certainties(plan: Plan, recorded: History = NO_HISTORY) -> dict[StackName, Certainty]:
    """By stack, in order."""
    known: dict[StackName, frozenset[str]] = {}
    found: dict[StackName, Certainty] = {}
    for name, step in plan.steps.items():
        until = _awaited_outputs(plan, step, known)
        found[name] = Certainty(until, step.kind.external)
        known[name] = _known_outputs(plan, step, known, ran=name in recorded.ran)
    return found


def _awaited_outputs(plan: Plan, step: Step, known: Mapping[StackName, frozenset[str]]) -> dict[str, list[str]]:
    until: dict[str, list[str]] = {}
    for _, ref in references(plan.environment.stacks[step.name]):
        given = ref.output[:1] or public_outputs(plan.steps[ref.stack])
        missing = [output for output in given if output not in known[ref.stack]]
        until.setdefault(ref.stack, []).extend(missing)
    return {stack: list(dict.fromkeys(outputs)) for stack, outputs in until.items() if outputs}


def _known_outputs(plan: Plan, step: Step, known: Mapping[StackName, frozenset[str]], *, ran: bool) -> frozenset[str]:
    """Outputs that need not be waited for: all of a stack that ran, what is known_outputs once its own values are known."""
    if ran:
        return frozenset(step.kind.outputs.model_fields)
    late = [ref for _, ref in references(plan.environment.stacks[step.name]) if ref.output]
    return frozenset(step.kind.known_outputs if all(ref.output[0] in known[ref.stack] for ref in late) else ())


def public_outputs(step: Step) -> list[str]:
    """The outputs of a stack that a plan may name: a secret is no news to anybody."""
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
        told = {"stacks": list(self.stacks), "usual_seconds": self.seconds, "never_ran": list(self.fresh)}
        return {"critical_path": told}


def critical_path(plan: Plan, recorded: History = NO_HISTORY) -> CriticalPath:
    """The way through the needs that takes longest by what is recorded; of equal ones that of most stacks."""
    paths: dict[str, tuple[float, tuple[str, ...]]] = {}
    for name, step in plan.steps.items():
        before = max((paths[need] for need in sorted(step.needs)), key=_weight, default=(0.0, ()))
        paths[name] = (before[0] + recorded.seconds.get(name, 0.0), (*before[1], name))
    seconds, stacks = max(paths.values(), key=_weight, default=(0.0, ()))
    fresh = [name for name in stacks if name not in recorded.seconds]
    return CriticalPath(stacks, None if len(fresh) == len(stacks) else seconds, fresh)


def _weight(path: tuple[float, tuple[str, ...]]) -> tuple[float, int]:
    return path[0], len(path[1])
