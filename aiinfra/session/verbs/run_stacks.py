"""Run one step for each chosen stack, in the order of their needs, and report."""

from __future__ import annotations

from collections.abc import Callable

from aiinfra.engine.queue import Queue
from aiinfra.engine.run import StackExecutor
from aiinfra.plan.planner import Step
from aiinfra.report.run import RunReport, StackResult, Verb
from aiinfra.session.reporting import Reporting
from aiinfra.session.run import Run
from aiinfra.stack import StackName

StackStep = Callable[[Run, Step], StackResult]


def run_stacks(run: Run, verb: Verb, step: StackStep) -> RunReport:
    """Run the chosen stacks and return the report; a failed stack keeps those that need it from starting."""
    steps = run.plan.steps
    needs = {str(name): [n for n in steps[name].needs if n in run.chosen] for name in run.chosen}
    kinds = {str(name): steps[name].kind.kind for name in run.chosen}
    report = Reporting.of(run, verb)
    report.started(list(run.chosen))
    executor = StackExecutor(
        Queue(needs),
        kinds,
        lambda name: step(run, steps[StackName(name)]),
        run.options.parallel,
        run.on_event,
        run.world.now,
    )
    with run.interrupts.handled(run.runner.stop):
        results = executor.run(run.interrupts.stop)
    return report.ended(results, interrupted=run.interrupts.count > 0)
