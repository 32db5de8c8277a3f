"""From the results of a run to its report, and the first and last events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from aiinfra.dataclass import dataclass
from aiinfra.engine.events import OnEvent, RunEnded, RunStarted
from aiinfra.engine.report import exit_code
from aiinfra.errors import ErrorRecord, Interrupted
from aiinfra.report.run import Dependent, RunReport, Shared, StackResult, Verb

if TYPE_CHECKING:
    from aiinfra.session.run import Run


@dataclass(slots=True)
class Reporting:
    verb: Verb
    environment: str
    environment_id: str
    simulated: Sequence[str]
    on_event: OnEvent
    now: Callable[[], datetime]
    not_asked: Sequence[str] = ()
    """What a destroy was asked to forget, one sentence each."""
    dependents: Sequence[Dependent] = ()
    """What of others a destroy takes along."""
    shared: Sequence[Shared] = ()
    """What became of things that others may use too."""
    since: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.now()

    @classmethod
    def of(cls, run: Run, verb: Verb) -> Reporting:
        """Return the reporting of a run."""
        name, simulated = run.plan.environment.name, run.place.simulated
        return cls(verb, name, run.environment_id, simulated, run.on_event, run.world.now)

    def started(self, stacks: Sequence[str]) -> None:
        self.on_event(RunStarted(self.verb, self.environment, tuple(stacks), bool(self.simulated), self.since))

    def nothing(self, sentence: str) -> RunReport:
        """Return the report of a run that found nothing to do."""
        self.started(())
        return self.ended([], nothing_left=(sentence,), interrupted=False)

    def ended(
        self,
        results: Sequence[StackResult],
        *,
        interrupted: bool,
        errors: Sequence[ErrorRecord] = (),
        nothing_left: Sequence[str] = (),
    ) -> RunReport:
        if interrupted:
            stopped = ErrorRecord(
                Interrupted.default_code,
                self.environment,
                "the run was stopped; what had begun is saved",
                f"aiinfra {self.verb.value} {self.environment} goes on from here",
            )
            errors = (*errors, stopped)
        now = self.now()
        report = RunReport(
            verb=self.verb,
            environment=self.environment,
            environment_id=self.environment_id,
            results=tuple(results),
            seconds=(now - self.since).total_seconds(),
            exit_code=exit_code(results, errors, interrupted=interrupted),
            simulated=tuple(self.simulated),
            errors=tuple(errors),
            nothing_left=tuple(nothing_left),
            not_asked=tuple(self.not_asked),
            dependents=tuple(self.dependents),
            shared=tuple(self.shared),
            ended_at=now,
        )
        self.on_event(RunEnded(report, now))
        return report
