"""What a domain may do for a run: verify access, observe, explain, settle, take part in a destroy.

`Domain.world` names an object that may have any of these protocols; the run asks with `isinstance`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aiinfra.dataclass import dataclass
from aiinfra.report.run import Dependent, Failure, Shared
from aiinfra.report.status import WorldState
from aiinfra.stack import Finding, SecretSource, StackName

if TYPE_CHECKING:
    from aiinfra.engine.events import Event
    from aiinfra.engine.journal import Journal
    from aiinfra.engine.wire import Tree
    from aiinfra.errors import ErrorRecord, OutsideError, StepError
    from aiinfra.plan.planner import Plan, Step


class RunContext(Protocol):
    """What the world of a domain may know of the run that asks it. Made by `aiinfra.session`."""

    @property
    def plan(self) -> Plan: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def environment_id(self) -> str:
        """Empty when nothing says it, as when the notes beside the state are lost."""
        ...

    @property
    def environ(self) -> Mapping[str, str]: ...
    @property
    def simulated(self) -> bool:
        """True in a lab."""
        ...

    @property
    def stop(self) -> threading.Event:
        """Set when the user asks to stop; waits end at once."""
        ...

    @property
    def sweep_seconds(self) -> float:
        """How long what a destroy sweeps may take to go."""
        ...

    def now(self) -> datetime: ...
    def say(self, text: str) -> None:
        """Report a message about the run as a whole."""
        ...

    def emit(self, event: Event) -> None: ...
    def open_secret(self, source: SecretSource) -> Tree:
        """Return the value of a source as a secret; unknown when it is of a lab that does not run."""
        ...

    def existed(self, stack: str) -> bool:
        """Whether the state had the stack when it was first read in this run."""
        ...

    def existing_stacks(self) -> Collection[str]: ...
    def is_current(self, stack: str) -> bool:
        """Whether the last success of the stack was with what its file and its code say now."""
        ...

    def recorded_outputs(self, stack: str) -> Mapping[str, Tree]:
        """Return the recorded outputs of a stack; empty when it is not in the state."""
        ...

    def deployment(self, stack: str) -> Mapping[str, Any]:
        """Return the stack's state in Pulumi's format."""
        ...


@runtime_checkable
class Verifies(Protocol):
    """Checks access before the first step of any verb on a real target."""

    def verify(self, run: RunContext, chosen: Collection[StackName]) -> None:
        """Raises `OutsideError`, whose records name every access that is not in order; nothing is touched."""
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """What a domain found out for the preflight of one stack."""

    facts: Any = None
    """What the kind's `preflight` gets under the domain's name; None when `findings` say why there is nothing."""
    findings: Sequence[Finding] = ()


@runtime_checkable
class Observes(Protocol):
    """Asks the world the questions of kinds' preflights."""

    def observe(
        self, run: RunContext, questions: Mapping[StackName, Any], *, before_run: bool
    ) -> Mapping[StackName, Observation]:
        """Return the answer to each stack's question (see `aiinfra.stack.Preflight.questions`); one pass for all.

        `before_run`: the stacks are about to run, so what an interrupted run of this environment still holds is
        released first. A stack that is not in the answer could not be asked yet.
        """
        ...


@runtime_checkable
class ReportsHealth(Protocol):
    """Says for `doctor` what every preflight needs, whatever kinds ask: does it answer, is anything of it broken."""

    def health(self, run: RunContext) -> Iterator[tuple[str, Finding]]:
        """Stack (or the domain's name) and finding, `ok` ones included."""
        ...


@runtime_checkable
class Explains(Protocol):
    """Says more of a failure than its provider did."""

    def explain(self, run: RunContext, stack: str, error: StepError) -> StepError | None:
        """Return the error with its root cause, or None. Raises no `AiinfraError`."""
        ...

    def current(self, run: RunContext, stack: StackName, failure: Failure | None) -> Iterator[WorldState]:
        """Yield, for `why`, the current state of each place of this domain that the stack works in."""
        ...


@runtime_checkable
class Settles(Protocol):
    """Lets the world come to rest before a stack without a recorded success is run again."""

    def settle(self, run: RunContext, step: Step) -> None:
        """Raises `StepError` when the place is another one, or something of the stack does not go away."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """What stacks that would be skipped look like beside their snapshots."""

    changed: Mapping[StackName, Sequence[str]]
    """By stack that is not as it was, one sentence for each difference."""
    unknown: Mapping[StackName, OutsideError] = field(default_factory=dict)
    """By stack whose place cannot be asked, why."""


@runtime_checkable
class DetectsChanges(Protocol):
    """Notices, in every `up`, what somebody changed or removed of a stack that would be skipped."""

    def snapshot(self, run: RunContext, step: Step) -> Mapping[str, str]:
        """After a success of the stack: what `changes` compares the world with, kept beside the state; no secrets.

        Empty when there is nothing to compare. Raises `OutsideError` when it cannot be read: the next `up` then runs
        the stack and reads its world first, as nobody could say whether it is as it was.
        """
        ...

    def changes(self, run: RunContext, snapshots: Mapping[StackName, Mapping[str, str]]) -> Comparison:
        """Compare the world with the snapshots of these stacks.

        It is a cheap look, in one pass of parallel requests for all stacks; a `refresh` compares field by field. Other
        domains are asked at the same time, each in a thread of its own.
        """
        ...


@dataclass(frozen=True, slots=True)
class DestroyRequest:
    """What is to be destroyed."""

    needs: Mapping[str, Sequence[str]]
    """All stacks that may exist, with those each depends on, in order of creation."""
    kinds: Mapping[str, str]
    chosen: Collection[str]
    """Those that are destroyed."""
    whole: bool
    """True when everything is: only then is the world swept."""
    forget: Sequence[str] = ()
    """Stacks that gave access to something that is gone for good."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """The result of a sweep."""

    looked: Sequence[str] = ()
    """Where was looked and what was found, one sentence each."""
    left: Sequence[ErrorRecord] = ()


class Teardown(Protocol):
    """One destroy as a domain takes part in it. All access is read when it is made, before anything is destroyed."""

    @property
    def forgettable(self) -> Collection[str]:
        """Return the stacks that may be named in `DestroyRequest.forget`."""
        ...

    def forgotten(self) -> Mapping[str, str]:
        """Return the stacks to drop from the state unasked, each with the stack that gave the access that is gone.

        Raises `ConfigError` for a stack that works somewhere else too.
        """
        ...

    def prepare(self) -> Sequence[str]:
        """Verify access and note what the sweep will need; one sentence for each place that nobody will ask.

        Raises `OutsideError`; nothing is touched.
        """
        ...

    def sweep(self) -> SweepReport:
        """After all stacks went: remove what carries the environment's id, and say what is left. Raises `Stopped`."""
        ...


@runtime_checkable
class FindsDependents(Protocol):
    """A `Teardown` of a domain in which others may use what is destroyed. Asked after `prepare`."""

    def dependents(self) -> Sequence[Dependent]:
        """Return what of others goes, or stops working, with what is destroyed. Nothing is touched.

        It is one pass of parallel requests for each place. What this environment made and destroys in the same run is
        no dependent, nor is what the place itself puts beside everything. Raises `OutsideError`.
        """
        ...

    def release(self) -> None:
        """Before the stacks go, and only when somebody agreed: remove those dependents that could not go later, as
        what serves them would be gone. Raises `Stopped`, `OutsideError`."""
        ...

    def shared(self) -> Sequence[Shared]:
        """After the stacks went, and before the place is closed: say what became of what others may use too."""
        ...


@runtime_checkable
class TearsDown(Protocol):
    """Takes part in a destroy."""

    def teardown(self, run: RunContext, request: DestroyRequest) -> Teardown: ...


@runtime_checkable
class AttendsDestroy(Protocol):
    """Stays beside the destroy of one stack."""

    def attend(self, run: RunContext, stack: str) -> AbstractContextManager[Sequence[str]]:
        """Entered before the stack is destroyed and left when that has ended.

        A step of the software's own that cannot run must not hold a destroy up for ever: it is told while it is waited
        for, and left out at a limit. What was left out is in the sequence at the end, one sentence each. Raises no
        `AiinfraError`.
        """
        ...
