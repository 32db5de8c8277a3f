"""A fault in a rehearsal: where and when it is set, and whether the run reported it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from aiinfra.dataclass import dataclass
from aiinfra.domain_lab import FaultType, LabDomain
from aiinfra.engine.events import Event, OnEvent, StackStarted, Waiting
from aiinfra.errors import ConfigError
from aiinfra.plan.planner import Plan
from aiinfra.report.run import Outcome, RunReport, StackResult
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.lab.lab import Lab


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to inject: `NAME` or `NAME@PLACE`, where the place is a stack (a cluster has the name of its stack)."""

    name: str
    place: str = ""

    @classmethod
    def parse(cls, text: str) -> Fault:
        name, _, place = text.partition("@")
        return cls(name, place)

    def __str__(self) -> str:
        return f"{self.name}@{self.place}" if self.place else self.name


@dataclass(slots=True)
class FaultInjector:
    """Sets one fault during a run and lifts it.

    What a stack works in is broken for all stacks in it, so the fault is set when the named stack starts. A fault of a
    whole domain strikes all stacks that work there. Raises `ConfigError` for a fault or place that does not exist,
    before anything is started.
    """

    fault: Fault
    plan: Plan
    type: FaultType = field(init=False)
    places: list[str] = field(init=False)
    """The places in the lab where it is set."""
    waits: bool = field(init=False)
    """Whether it is set during the run."""
    _domain: LabDomain = field(init=False)
    _domain_name: str = field(init=False)
    _was_set: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        from aiinfra.lab.domains import domain_of_fault
        from aiinfra.lab.faults import fault_type

        self.type = fault_type(self.fault.name)
        self._domain_name, self._domain = domain_of_fault(self.fault.name)
        if self.fault.place and self.fault.place not in self.plan.steps:
            raise _unknown(self.fault, f"no stack is named {self.fault.place!r}", self.plan.steps)
        if not any(self._works_there(name) for name in self.plan.steps):
            raise _cannot_strike(self.fault, self._domain.part, self.plan)
        self.places, self.waits = [self.fault.place], self.type.overcome
        if self.type.scope == "domain":
            self._in_domain()
        elif self.type.scope == "access" and self.fault.place:
            self._at_access()

    def _in_domain(self) -> None:
        self.places = [""]
        there = [name for name in self.plan.steps if self._works_there(name)]
        if self.fault.place and self.fault.place not in there:
            raise _unknown(self.fault, f"{self.fault.place} works in no {self._domain.part}", there)

    def _at_access(self) -> None:
        self.places = list(map(str, self._access(self.fault.place)))
        self.waits = self.places != [self.fault.place]
        if not self.places:
            there = [name for name in self.plan.steps if name in self._access(name)]
            raise _unknown(self.fault, f"{self.fault.place} works in no {self._domain.part}", there)

    def _works_there(self, stack: str) -> bool:
        return self._domain_name in self.plan.steps[StackName(stack)].kind.domains

    def _access(self, stack: str) -> Sequence[StackName]:
        return self._domain.access(self.plan, StackName(stack))

    def set(self, lab: Lab) -> None:
        self._was_set = True
        for place in self.places:
            lab.set_fault(self.fault.name, place)

    def lift(self, lab: Lab) -> None:
        lab.lift_fault(self.fault.name)

    def watching(self, lab: Lab, on_event: OnEvent) -> OnEvent:
        """Return `on_event` with the fault set at its moment."""

        def hear(event: Event) -> None:
            if self.waits and not self._was_set and self._begins(event):
                self.set(lab)
            on_event(event)

        return hear

    def _begins(self, event: Event) -> bool:
        if not self.type.overcome:
            return isinstance(event, StackStarted) and event.stack == self.fault.place
        if not isinstance(event, Waiting) or self.fault.place not in {"", event.stack}:
            return False
        return self._works_there(event.stack)

    def failure_of(self, report: RunReport) -> str:
        """Return why the run did not report the fault, or not where it was set; empty when it did."""
        failed = self._failed(report)
        if self.type.overcome:
            return self._not_overcome(failed)
        if not failed:
            return f"{self.fault} had no effect: every stack is up in spite of it"
        struck = {stack: texts for stack, texts in failed.items() if self._struck(stack)}
        if not struck:
            return f"{self.fault} had no effect there: what failed is {', '.join(failed)}"
        if not any(self.type.sign in " ".join(texts) for texts in struck.values()):
            stack, texts = next(iter(struck.items()))
            return f"{stack} failed, and not by {self.fault}: {texts[-1]}"
        return ""

    def _failed(self, report: RunReport) -> dict[str, list[str]]:
        """Return the messages of each stack that failed, or that was refused before any started."""
        failed = {result.stack: _account(result) for result in report.results if result.outcome is Outcome.FAILED}
        for error in report.errors:
            if error.where in self.plan.steps:
                failed.setdefault(error.where, []).append(error.message)
        return failed

    def _not_overcome(self, failed: Mapping[str, Sequence[str]]) -> str:
        if failed:
            return (
                f"{self.fault} was not overcome: {'; '.join(f'{stack}: {texts[0]}' for stack, texts in failed.items())}"
            )
        return "" if self._was_set else f"{self.fault} had no effect: no stack waited for a {self._domain.part}"

    def _struck(self, stack: str) -> bool:
        place = self.fault.place
        if place in {"", stack}:
            return True
        return stack in self.plan.steps and place in self._access(stack)


def _account(result: StackResult) -> list[str]:
    return [result.error.message if result.error else "", *result.causes]


def _unknown(fault: Fault, message: str, there: Iterable[str]) -> ConfigError:
    hint = f"there are: {', '.join(there) or 'none'}"
    return ConfigError(message, code="lab.unknown_place", where=f"--fault {fault}", hint=hint)


def _cannot_strike(fault: Fault, part: str, plan: Plan) -> ConfigError:
    message = f"{fault} cannot strike {plan.environment.name}: no stack of it works in a {part}"
    return ConfigError(message, code="lab.unknown_place", where=f"--fault {fault}", hint="see aiinfra lab faults")
