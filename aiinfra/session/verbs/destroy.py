"""Destroy an environment: its stacks in reverse order, then what carries its mark, then the place itself.

Nothing is started in order to delete it, and the world is swept also when a stack's state is absent or empty.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from aiinfra.catalog import Catalog, Kind
from aiinfra.dataclass import dataclass
from aiinfra.domain_run import DestroyRequest, FindsDependents, SweepReport, Teardown
from aiinfra.engine.journal import Success
from aiinfra.engine.queue import Queue
from aiinfra.engine.run import StackExecutor
from aiinfra.errors import ConfigError, Problem
from aiinfra.plan.graph import topological_order
from aiinfra.report.run import Dependent, RunReport, Shared, StackResult, Verb, by_loss
from aiinfra.session.keys import forget_key
from aiinfra.session.options import Options
from aiinfra.session.reporting import Reporting
from aiinfra.session.run import Run
from aiinfra.session.steps.destroy import destroy as destroy_stack
from aiinfra.session.steps.destroy import forget as forget_stack
from aiinfra.session.worlds import worlds_to_tear_down
from aiinfra.waiting import Stopped

NAMED: Final = 12
"""Dependents that one problem names."""
CONSENT_HINT: Final = "remove it yourself, or add --with-dependents to let it go along"


@dataclass(frozen=True, slots=True)
class _Existing:
    """Stacks that may exist: those of the file, and those that are only in the state."""

    needs: Mapping[str, Sequence[str]]
    kinds: Mapping[str, str]


def destroy(run: Run) -> RunReport:
    """Destroy the chosen stacks; a destroy of all also sweeps and removes the place.

    Raises `ConfigError` for an impossible choice and for a loss to others that nobody agreed to, and `OutsideError`
    when a world cannot be asked, all before anything is changed.
    """
    existing = _existing(run)
    chosen = _chosen(existing.needs, run.existing_stacks(), run.options)
    request = DestroyRequest(
        existing.needs, existing.kinds, chosen, run.options.selection.all, tuple(run.options.forget)
    )
    teardowns = [world.teardown(run, request) for world in worlds_to_tear_down(_kinds(run, existing))]
    _check_forget(request.forget, teardowns)
    forgotten = {stack: access for teardown in teardowns for stack, access in teardown.forgotten().items()}
    report = Reporting.of(run, Verb.DESTROY)
    report.not_asked = [sentence for teardown in teardowns for sentence in teardown.prepare()]
    finding = [teardown for teardown in teardowns if isinstance(teardown, FindsDependents)]
    report.dependents = _agreed(run, [one for teardown in finding for one in teardown.dependents()])
    order = [name for name in reversed(list(existing.needs)) if name in chosen]
    report.started(order)
    with run.interrupts.handled(run.runner.stop):
        try:
            for teardown in finding if report.dependents else ():
                teardown.release()
        except Stopped:
            return report.ended([], interrupted=True)
        results = _destroy_stacks(run, existing, order, forgotten)
        interrupted = run.interrupts.count > 0
        if interrupted or not request.whole or any(result.error for result in results):
            report.shared = _shared(finding)
            return report.ended(results, interrupted=interrupted)
        try:
            swept = [teardown.sweep() for teardown in teardowns]
        except Stopped:
            return report.ended(results, interrupted=True)
    report.shared = _shared(finding)
    return _finish(run, results, swept, report)


def _agreed(run: Run, dependents: Sequence[Dependent]) -> Sequence[Dependent]:
    """Return them when somebody agreed that they go along. Raises `ConfigError` naming each, and the flag."""
    if not dependents or run.options.take_along(dependents):
        return dependents
    raise ConfigError(
        problems=[
            Problem(stack, "", f"others' {text} would be {loss}", CONSENT_HINT, "destroy.dependents")
            for stack, text, loss in by_loss(dependents, NAMED)
        ]
    )


def _shared(finding: Sequence[FindsDependents]) -> list[Shared]:
    return [one for teardown in finding for one in teardown.shared()]


def _destroy_stacks(
    run: Run, existing: _Existing, order: Sequence[str], forgotten: Mapping[str, str]
) -> list[StackResult]:
    needs = {name: [n for n in existing.needs[name] if n in order] for name in existing.needs if name in order}
    kinds = {name: existing.kinds[name] for name in order}

    def step(name: str) -> StackResult:
        if name in forgotten:
            return forget_stack(run, name, kinds[name], forgotten[name])
        return destroy_stack(run, name, kinds[name])

    executor = StackExecutor(Queue.down(needs), kinds, step, run.options.parallel, run.on_event, run.world.now)
    return executor.run(run.interrupts.stop)


def _finish(run: Run, results: list[StackResult], swept: Sequence[SweepReport], report: Reporting) -> RunReport:
    sentences = [sentence for one in swept for sentence in one.looked]
    left = [record for one in swept for record in one.left]
    if left:
        return report.ended(results, interrupted=False, errors=left, nothing_left=sentences)
    run.journal.erase()
    forget_key(run.world, run.environment_id)
    remaining = run.runner.existing()
    run.runner.close()
    place_removals = () if run.options.keep_lab else run.place.sequel()
    return report.ended(
        results, interrupted=False, nothing_left=(*sentences, f"state ({len(remaining)} stacks)", *place_removals)
    )


def _kinds(run: Run, existing: _Existing) -> list[Kind]:
    """Return the installed kinds of all stacks that may exist."""
    catalog = Catalog.installed()
    planned = {step.kind.kind: step.kind for step in run.plan.steps.values()}
    names = dict.fromkeys(existing.kinds.values())
    return [planned.get(name) or catalog[name] for name in names if name in planned or name in catalog]


def _check_forget(forget: Sequence[str], teardowns: Sequence[Teardown]) -> None:
    forgettable = [stack for teardown in teardowns for stack in teardown.forgettable]
    for name in forget:
        if name not in forgettable:
            hint = f"those that do: {', '.join(forgettable)}" if forgettable else "no stack does"
            message = f"{name} gives access to no cluster"
            raise ConfigError(message, code="flags.invalid", where="--forget", hint=hint)


def _existing(run: Run) -> _Existing:
    steps = run.plan.steps
    kinds = {str(name): step.kind.kind for name, step in steps.items()}
    needs: dict[str, list[str]] = {str(name): [str(n) for n in step.needs] for name, step in steps.items()}
    recorded = {stack: run.journal.success(stack) for stack in sorted(run.existing_stacks())}
    for stack, known in recorded.items():
        if stack not in steps:
            kinds[stack] = known.kind if known else "no longer in the file"
            needs[stack] = [n for n in (known.needs if known else ()) if n in steps]
    wider = {
        stack: [*wants, *_dropped_needs(recorded.get(stack), needs.keys() - set(wants))]
        for stack, wants in needs.items()
    }
    return _Existing(wider if len(topological_order(wider)) == len(wider) else needs, kinds)


def _dropped_needs(known: Success | None, others: Collection[str]) -> list[str]:
    """Return what the stack needed when it was last up and the file no longer says; edits may make that a cycle."""
    return [name for name in (known.needs if known else ()) if name in others]


def _chosen(needs: Mapping[str, Sequence[str]], existing: Collection[str], options: Options) -> set[str]:
    selection = options.selection
    if selection.all:
        return set(needs)
    if selection.from_ or selection.until:
        raise ConfigError("destroy takes --only, not --from or --until", code="flags.invalid", where="destroy")
    for name in selection.only:
        if name not in needs:
            known = f"known are {', '.join(sorted(needs))}"
            raise ConfigError(f"no stack is named {name}", code="config.unknown_stack", where="--only", hint=known)
    chosen = set(selection.only)
    dependents = _dependents(needs, existing, chosen)
    for name in dependents:
        if blockers := sorted(chosen & set(needs[name])):
            hint = "add " + " ".join(f"--only {one}" for one in dependents)
            raise ConfigError(f"{name} still needs {blockers[0]}", code="flags.invalid", where="--only", hint=hint)
    return chosen


def _dependents(needs: Mapping[str, Sequence[str]], existing: Collection[str], chosen: Collection[str]) -> list[str]:
    """Return the existing stacks, not chosen, that need one of the chosen, directly or not."""
    found: list[str] = []
    for name in topological_order(needs):
        if name in existing and name not in chosen and {*chosen, *found}.intersection(needs[name]):
            found.append(name)
    return found
