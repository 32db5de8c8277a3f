"""Bring the environment to the state that its file describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aiinfra.plan.planner import Step
from aiinfra.report.run import RunReport, Verb
from aiinfra.session.run import Run
from aiinfra.session.steps.up import must_run
from aiinfra.session.steps.up import up as up_stack
from aiinfra.session.verbs.run_stacks import run_stacks
from aiinfra.session.worlds import find_changes, names_package, require_ready
from aiinfra.stack import Preflight

if TYPE_CHECKING:
    from aiinfra.session.packages import PackageJudge

SHOWN: Final = 3
"""Sentences that are said of one stack."""


def up(run: Run, packages: Callable[[], PackageJudge] | None = None) -> RunReport:
    """Bring the chosen stacks up.

    Raises `OutsideError` before any step when a preflight found an error or a package cannot be had, `ConfigError` when
    one refuses its values.
    """
    _say_dropped(run)
    say_changes(run)
    if packages:
        _judge_packages(run, packages)
    judged = [step for name in run.chosen if isinstance((step := run.plan.steps[name]).kind.checks, Preflight)]
    if will_run := [step for step in judged if _will_run(run, step)]:
        require_ready(run, will_run)
    return run_stacks(run, Verb.UP, up_stack)


def say_changes(run: Run) -> None:
    """Look, at little cost, whether what would be skipped is as it was; what is not, runs and reads its world first."""
    if run.options.skip and not run.options.refresh:
        run.changed |= find_changes(run, (run.plan.steps[name] for name in run.chosen))
    for stack, sentences in run.changed.items():
        more = f", and {len(sentences) - SHOWN} more" if len(sentences) > SHOWN else ""
        run.say(f"{stack} is not as it was: {'; '.join(sentences[:SHOWN])}{more}")


def _judge_packages(run: Run, packages: Callable[[], PackageJudge]) -> None:
    """Let what comes from where the file says judge its values, for the stacks that will run."""
    named = [step for step in (run.plan.steps[name] for name in run.chosen) if names_package(step)]
    running = [step.name for step in named if _will_run(run, step)]
    if not running:
        return
    reports = packages().judge("named", running)
    for report in reports:
        run.say(str(report))
    lost = [report for report in reports if report.lost]
    if lost and not run.simulated:
        from aiinfra.session.packages import lost_error

        raise lost_error(lost, "see where the file says that it is; nothing was touched")


def _will_run(run: Run, step: Step) -> bool:
    known = run.journal.success(step.name)
    return known is None or must_run(run, step) or known.digest != run.digest(step)


def _say_dropped(run: Run) -> None:
    """Report stacks that are no longer in the file, which `up` does not destroy, with the command that does."""
    environment = run.plan.environment.name
    dropped = [name for name in run.journal.known_stacks() if name not in run.plan.steps]
    if dropped:
        one = len(dropped) == 1
        command = f"aiinfra destroy {environment} --only {' --only '.join(dropped)}"
        subject = f"{' and '.join(dropped)} {'is' if one else 'are'} still up and no longer in the file"
        run.say(f"{subject}: {command} destroys {'it' if one else 'them'}")
