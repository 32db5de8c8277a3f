"""A fault in a rehearsal: where it is set, when, and whether the run told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiinfra.cluster import ClusterAccess
from aiinfra.engine.events import Event, OnEvent, Outcome, RunReport, StackResult, StackStarted
from aiinfra.errors import ConfigError
from aiinfra.plan.planner import Plan
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.lab.lab import Lab

_SIGNS: Mapping[str, str] = {
    "api-partition": "cannot be reached",
    "crd-late": "CustomResourceDefinition",
    "driver-kernel-mismatch": "kernel",
    "image-pull": "image",
    "webhook-down": "webhook",
}
"""What an account of a fault cannot do without."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to inject: `NAME` or `NAME@PLACE`, where the place is a stack (a cluster bears the name of its stack)."""

    name: str
    place: str = ""

    @classmethod
    def parse(cls, text: str) -> Fault:
        name, _, place = text.partition("@")
        return cls(name, place)

    def __str__(self) -> str:
        return f"{self.name}@{self.place}" if self.place else self.name


@dataclass(slots=True)
class Breaker:
    """Sets one fault during a run and lifts it.

    A cut-off API server cuts off all stacks of its cluster, so it is cut off when the stack that was named starts.
    Raises `ConfigError` for a fault or place that does not exist, before anything is started.
    """

    fault: Fault
    plan: Plan
    places: list[str] = field(init=False)

    def __post_init__(self) -> None:
        from aiinfra.lab.faults import API_PARTITION, check_name

        check_name(self.fault.name)
        if self.fault.place and self.fault.place not in self.plan.steps:
            raise _unknown(self.fault, f"no stack is named {self.fault.place!r}", self.plan.steps)
        if self.fault.name != API_PARTITION or not self.fault.place:
            self.places = [self.fault.place]
            return
        self.places = clusters_of(self.plan, StackName(self.fault.place))
        if not self.places:
            raise _unknown(self.fault, f"{self.fault.place} stands in no cluster", _all_clusters(self.plan))

    @property
    def waits(self) -> bool:
        """Whether it is set while the run goes on."""
        return self.places != [self.fault.place]

    def set(self, lab: Lab) -> None:
        for place in self.places:
            lab.set_fault(self.fault.name, place)

    def lift(self, lab: Lab) -> None:
        lab.lift_fault(self.fault.name)

    def heard(self, lab: Lab, on_event: OnEvent) -> OnEvent:
        """`on_event`, with the fault set as soon as its stack starts."""

        def hear(event: Event) -> None:
            if self.waits and isinstance(event, StackStarted) and event.stack == self.fault.place:
                self.set(lab)
            on_event(event)

        return hear

    def judged(self, report: RunReport) -> str:
        """Why the run did not tell of the fault, or not where it was; empty when it did."""
        failed = {result.stack: result for result in report.results if result.outcome is Outcome.FAILED}
        if not failed:
            return f"{self.fault} had no effect: every stack is up in spite of it"
        struck = [result for stack, result in failed.items() if self._struck(stack)]
        if not struck:
            return f"{self.fault} had no effect there: what failed is {', '.join(failed)}"
        if not any(_SIGNS[self.fault.name] in " ".join(_said(result)) for result in struck):
            return f"{struck[0].stack} failed, and not by {self.fault}: {_said(struck[0])[-1]}"
        return ""

    def _struck(self, stack: str) -> bool:
        place = self.fault.place
        if place in {"", stack}:
            return True
        return stack in self.plan.steps and place in clusters_of(self.plan, StackName(stack))


def _said(result: StackResult) -> list[str]:
    return [result.error.message if result.error else "", *result.causes]


def clusters_of(plan: Plan, stack: StackName) -> list[str]:
    """The clusters that a stack stands in: itself, or the nearest it needs that give access to one."""
    step = plan.steps[stack]
    if issubclass(step.kind.outputs, ClusterAccess):
        return [stack]
    return sorted({name for needed in step.needs for name in clusters_of(plan, needed)})


def _all_clusters(plan: Plan) -> list[str]:
    return [name for name, step in plan.steps.items() if issubclass(step.kind.outputs, ClusterAccess)]


def _unknown(fault: Fault, message: str, there: Iterable[str]) -> ConfigError:
    hint = f"there are: {', '.join(there) or 'none'}"
    return ConfigError(message, code="lab.unknown_place", where=f"--fault {fault}", hint=hint)
