"""A fault in a rehearsal: where it is set, when, and whether the run told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.vsphere.block import FIELD
from aiinfra.engine.events import Event, OnEvent, StackStarted, Waiting
from aiinfra.errors import ConfigError
from aiinfra.plan.planner import Plan
from aiinfra.report.run import Outcome, RunReport, StackResult
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.lab.lab import Lab

_SIGNS: Mapping[str, str] = {
    "api-partition": "cannot be reached",
    "crd-late": "CustomResourceDefinition",
    "driver-kernel-mismatch": "kernel",
    "image-pull": "image",
    "webhook-down": "webhook",
    "clone-fails-halfway": "does not answer",
    "profile-missing": "no host lists",
    "reboot-pending": "a reboot is pending",
    "task-hangs": "has not ended",
    "vcenter-host-full": "room",
    "vib-mismatch": "guest driver",
}
"""What an account of a fault cannot do without."""
OVERCOME: Final = frozenset({"vcenter-session-expired"})
"""Faults that no stack may fail by. They strike while one works."""


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

    A cut-off API server cuts off all stacks of its cluster, so it is cut off when the stack that was named starts. A
    fault of the vCenter strikes all that work there. Raises `ConfigError` for a fault or place that does not exist,
    before anything is started.
    """

    fault: Fault
    plan: Plan
    places: list[str] = field(init=False)
    """Where it is set in the lab."""
    waits: bool = field(init=False)
    """Whether it is set while the run goes on."""
    _was_set: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        from aiinfra.lab.faults import API_PARTITION, VCENTER_FAULTS, check_name

        check_name(self.fault.name)
        if self.fault.place and self.fault.place not in self.plan.steps:
            raise _unknown(self.fault, f"no stack is named {self.fault.place!r}", self.plan.steps)
        self.places, self.waits = [self.fault.place], self.fault.name in OVERCOME
        if self.fault.name in VCENTER_FAULTS:
            self._in_vcenter()
        elif self.fault.name == API_PARTITION and self.fault.place:
            self._in_clusters()

    def _in_vcenter(self) -> None:
        self.places = [""]
        there = [name for name, step in self.plan.steps.items() if FIELD in step.kind.connection]
        if self.fault.place and self.fault.place not in there:
            raise _unknown(self.fault, f"{self.fault.place} works in no vCenter", there)

    def _in_clusters(self) -> None:
        self.places = clusters_of(self.plan, StackName(self.fault.place))
        self.waits = self.places != [self.fault.place]
        if not self.places:
            raise _unknown(self.fault, f"{self.fault.place} stands in no cluster", _all_clusters(self.plan))

    def set(self, lab: Lab) -> None:
        self._was_set = True
        for place in self.places:
            lab.set_fault(self.fault.name, place)

    def lift(self, lab: Lab) -> None:
        lab.lift_fault(self.fault.name)

    def heard(self, lab: Lab, on_event: OnEvent) -> OnEvent:
        """`on_event`, with the fault set as soon as its moment comes."""

        def hear(event: Event) -> None:
            if self.waits and not self._was_set and self._begins(event):
                self.set(lab)
            on_event(event)

        return hear

    def _begins(self, event: Event) -> bool:
        if self.fault.name not in OVERCOME:
            return isinstance(event, StackStarted) and event.stack == self.fault.place
        if not isinstance(event, Waiting) or self.fault.place not in {"", event.stack}:
            return False
        return FIELD in self.plan.steps[StackName(event.stack)].kind.connection

    def judged(self, report: RunReport) -> str:
        """Why the run did not tell of the fault, or not where it was; empty when it did."""
        failed = self._failed(report)
        if self.fault.name in OVERCOME:
            return self._not_overcome(failed)
        if not failed:
            return f"{self.fault} had no effect: every stack is up in spite of it"
        struck = {stack: said for stack, said in failed.items() if self._struck(stack)}
        if not struck:
            return f"{self.fault} had no effect there: what failed is {', '.join(failed)}"
        if not any(_SIGNS[self.fault.name] in " ".join(said) for said in struck.values()):
            stack, said = next(iter(struck.items()))
            return f"{stack} failed, and not by {self.fault}: {said[-1]}"
        return ""

    def _failed(self, report: RunReport) -> dict[str, list[str]]:
        """What was said of each stack that failed, or that was refused before any started."""
        failed = {result.stack: _said(result) for result in report.results if result.outcome is Outcome.FAILED}
        for error in report.errors:
            if error.where in self.plan.steps:
                failed.setdefault(error.where, []).append(error.message)
        return failed

    def _not_overcome(self, failed: Mapping[str, Sequence[str]]) -> str:
        if failed:
            return (
                f"{self.fault} was not overcome: {'; '.join(f'{stack}: {said[0]}' for stack, said in failed.items())}"
            )
        return "" if self._was_set else f"{self.fault} had no effect: no stack waited for a vCenter"

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
