"""The outside worlds of an environment's stacks, used one after the other through the contract of domains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from aiinfra.catalog import Kind, domains_of
from aiinfra.domain import Domain, load
from aiinfra.domain_packages import JudgesPackages
from aiinfra.domain_run import (
    AttendsDestroy,
    Comparison,
    DetectsChanges,
    Explains,
    Observation,
    Observes,
    ReportsHealth,
    Settles,
    TearsDown,
    Verifies,
)
from aiinfra.errors import ErrorRecord, OutsideError, StepError
from aiinfra.plan.planner import Step
from aiinfra.report.examined import Examined
from aiinfra.report.run import Failure
from aiinfra.report.status import WorldState
from aiinfra.session.hints import with_environment
from aiinfra.session.run import Run
from aiinfra.stack import Finding, Preflight, PreflightAround, StackName, Surroundings


class NotReady(OutsideError):
    """Preflights found errors: one record each."""

    def __init__(self, examined: Sequence[Examined]) -> None:
        self._records = [_record(one) for one in examined]
        first = self._records[0]
        super().__init__(first.message, code=first.code, where=first.where, hint=first.hint)

    def records(self) -> Sequence[ErrorRecord]:
        return self._records


def worlds(kinds: Iterable[Kind]) -> Mapping[str, object]:
    """Return the worlds of the domains of these kinds, by name, without domains that have none."""
    return {name: _world(domain) for name, domain in domains_of(list(kinds)).items() if domain.world}


def verify(run: Run) -> None:
    """Verify access to the worlds of a real target before the first step. Raises `OutsideError`."""
    if run.simulated:
        return
    for world in _worlds_of(run).values():
        if isinstance(world, Verifies):
            world.verify(run, run.chosen)


def require_ready(run: Run, steps: Sequence[Step]) -> None:
    """Run the preflights of stacks that will run: report the number of warnings, raise `NotReady` for errors."""
    found = list(preflights(run, steps, before_run=True))
    if errors := [one for one in found if one.finding.level == "error"]:
        raise NotReady(errors)
    warnings = Counter(one.subject for one in found if one.finding.level in ("warning", "unknown"))
    for stack, count in warnings.items():
        noun = "1 warning" if count == 1 else f"{count} warnings"
        run.say(f"{stack}: {noun} from its preflight, none blocking; see aiinfra doctor {run.plan.environment.name}")


def preflights(run: Run, steps: Sequence[Step], *, before_run: bool) -> Iterator[Examined]:
    """Yield the findings of these stacks' preflights, in the order of the stacks; each world is asked once."""
    asked = {
        step.name: checks.questions(step.inputs) for step in steps if isinstance(checks := step.kind.checks, Preflight)
    }
    answers = _answers(run, steps, asked, before_run=before_run)
    for step in steps:
        checks = step.kind.checks
        if not isinstance(checks, Preflight) or step.name not in asked:
            continue
        mine = answers.get(step.name, {})
        yield from (_examined(run, step.name, finding) for one in mine.values() for finding in one.findings)
        facts = {domain: one.facts for domain, one in mine.items() if one.facts is not None}
        if facts or not asked[step.name]:
            yield from (_examined(run, step.name, finding) for finding in _judged(run, step, checks, facts))


def _examined(run: Run, subject: str, finding: Finding) -> Examined:
    return Examined(subject, replace(finding, hint=with_environment(finding.hint, run.plan.environment.name)))


def _judged(run: Run, step: Step, checks: Preflight, facts: Mapping[str, Any]) -> Iterable[Finding]:
    if not isinstance(checks, PreflightAround):
        return checks.preflight(step.inputs, facts)
    stacks = {name: (one.kind.kind, one.inputs) for name, one in run.plan.steps.items()}
    around = Surroundings(run.plan.environment.name, "lab" if run.simulated else "real", stacks)
    return checks.preflight_around(step.name, step.inputs, facts, around)


def health(run: Run) -> Iterator[Examined]:
    """Yield the findings of each world about itself, independent of what kinds ask."""
    for world in _worlds_of(run).values():
        if isinstance(world, ReportsHealth):
            yield from (_examined(run, subject, finding) for subject, finding in world.health(run))


def with_root_cause(run: Run, stack: str, error: StepError) -> StepError:
    """Return the error with its root cause, when a world that the stack works in finds it."""
    step = run.plan.steps.get(StackName(stack))
    for world in worlds([step.kind]).values() if step else ():
        if isinstance(world, Explains) and (found := world.explain(run, stack, error)):
            return found
    return error


def world_states(run: Run, stack: StackName, failure: Failure | None) -> Iterator[WorldState]:
    """Yield the present state of each world that a stack works in."""
    for world in worlds([run.plan.steps[stack].kind]).values():
        if isinstance(world, Explains):
            for state in world.current(run, stack, failure):
                yield replace(state, hint=with_environment(state.hint, run.plan.environment.name))


def settle(run: Run, step: Step) -> None:
    """Let the worlds of a stack settle before it is run again. Raises `StepError`."""
    for world in worlds([step.kind]).values():
        if isinstance(world, Settles):
            world.settle(run, step)


def keep_snapshots(run: Run, step: Step) -> str:
    """After an operation that succeeded: let each world of the stack note what it will compare with.

    Returns why that could not be read, or "".
    """
    for name, world in worlds([step.kind]).items():
        if isinstance(world, DetectsChanges):
            try:
                run.journal.keep_snapshot(name, step.name, world.snapshot(run, step))
            except OutsideError as error:
                return f"what it made could not be read after its last success: {error}"
    return ""


def find_changes(run: Run, steps: Iterable[Step]) -> Mapping[str, Sequence[str]]:
    """By stack, in the order given, what is no longer as its last success left it.

    A place that cannot be asked is said and passed over. A proof whose place cannot be asked is not taken for
    current: it says so.
    """
    found: dict[str, list[str]] = {}
    stacks = list(steps)
    for step in stacks:
        if suspicion := run.journal.suspicion(step.name):
            found.setdefault(step.name, []).append(suspicion)
    proofs = {step.name for step in stacks if step.kind.proves}
    for compared in _compared(run, stacks):
        for stack, sentences in compared.changed.items():
            found.setdefault(stack, []).extend(sentences)
        for said, unasked in _by_sentence(compared.unknown).items():
            are = "is as it was" if len(unasked) == 1 else "are as they were"
            run.say(f"whether {', '.join(unasked)} {are} is not known: {said}")
            for stack in proofs.intersection(unasked):
                found.setdefault(stack, []).append(f"what it proves cannot be asked: {said}")
    return {step.name: found[step.name] for step in stacks if step.name in found}


def _compared(run: Run, stacks: Sequence[Step]) -> Iterator[Comparison]:
    """Yield what each domain sees; all are asked at the same time."""
    asked = [
        (world, snapshots)
        for name, world in worlds(step.kind for step in stacks).items()
        if isinstance(world, DetectsChanges)
        and (snapshots := {s.name: kept for s in stacks if (kept := run.journal.snapshot(name, s.name))})
    ]
    if asked:
        with ThreadPoolExecutor(len(asked), thread_name_prefix="compare") as pool:
            yield from pool.map(lambda one: one[0].changes(run, one[1]), asked)


def _by_sentence(errors: Mapping[StackName, OutsideError]) -> Mapping[str, Sequence[StackName]]:
    stacks: dict[str, list[StackName]] = {}
    for stack, error in errors.items():
        stacks.setdefault(str(error), []).append(stack)
    return stacks


def package_judges(step: Step) -> Iterator[tuple[JudgesPackages, str]]:
    """Yield the worlds that judge what a stack installs, each with `official` or `named`: who says where it is."""
    for world in worlds([step.kind]).values():
        if isinstance(world, JudgesPackages) and (source := world.package_source(step)):
            yield world, source


def names_package(step: Step) -> bool:
    """Whether the file says where something comes from that the stack installs."""
    return any(source == "named" for _, source in package_judges(step))


@contextmanager
def attended(run: Run, stack: str, kind: Kind | None) -> Iterator[Sequence[str]]:
    """Let the worlds of a stack stay beside its destroy; at the end, the list has what was left out of it."""
    left_out: list[str] = []
    with ExitStack() as stay:
        attending = [world for world in worlds([kind]).values() if isinstance(world, AttendsDestroy)] if kind else []
        found = [stay.enter_context(world.attend(run, stack)) for world in attending]
        yield left_out
        stay.close()
        left_out += [sentence for one in found for sentence in one]


def worlds_to_tear_down(kinds: Collection[Kind]) -> list[TearsDown]:
    return [world for world in worlds(kinds).values() if isinstance(world, TearsDown)]


def _answers(
    run: Run, steps: Sequence[Step], asked: Mapping[StackName, Mapping[str, Any]], *, before_run: bool
) -> Mapping[StackName, Mapping[str, Observation]]:
    """Return the observations by stack and domain."""
    found: dict[StackName, dict[str, Observation]] = {}
    for name, world in worlds(step.kind for step in steps if step.name in asked).items():
        questions = {stack: theirs[name] for stack, theirs in asked.items() if name in theirs}
        if questions and isinstance(world, Observes):
            for stack, observation in world.observe(run, questions, before_run=before_run).items():
                found.setdefault(stack, {})[name] = observation
    return found


def _worlds_of(run: Run) -> Mapping[str, object]:
    return worlds(step.kind for step in run.plan.steps.values())


def _world(domain: Domain) -> object:
    world: object = load(domain.world)
    return world


def _record(one: Examined) -> ErrorRecord:
    finding: Finding = one.finding
    message = f"{finding.about}: {finding.read}; needed: {finding.needed}"
    return ErrorRecord(finding.code, one.subject, message, finding.hint)
