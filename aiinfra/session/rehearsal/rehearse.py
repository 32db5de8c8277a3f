"""Rehearse any environment in a throw-away lab: up, proof, destroy, nothing left; a timeline and a verdict.

The outside world is replaced by the lab before any secret is resolved: connection fields are replaced, other secrets
become canaries, hardware that the file does not describe is assumed from what the stacks request, and listed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from aiinfra.domain_lab import TriesPackages
from aiinfra.domain_packages import PackageReport
from aiinfra.errors import OutsideError
from aiinfra.lab.domains import lab_domains_of
from aiinfra.report.causes import roots
from aiinfra.report.rehearsal import Act, Rehearsal
from aiinfra.report.run import Outcome, RunReport, Verb
from aiinfra.session.options import Options
from aiinfra.session.packages import Scope
from aiinfra.session.rehearsal.assumed import assumed_lab
from aiinfra.session.rehearsal.fault_injection import Fault, FaultInjector
from aiinfra.session.rehearsal.throwaway import throwaway_folder
from aiinfra.session.session import Session
from aiinfra.stack import SecretSource

UP: Final = "every stack is up"


def rehearse(
    session: Session,
    fault: Fault | None,
    options: Options,
    scope: Scope = "ready",
    *,
    real_operators: bool = False,
) -> Rehearsal:
    """Run the whole life of the environment in a lab of its own; the lab is removed whatever happens.

    `scope`: which packages, such as a chart, judge their values themselves before anything runs.
    `real_operators`: whether they run in the place of their stand-ins.
    """
    injector = FaultInjector(fault, session.plan) if fault else None
    session.check_files()
    packages = session.packages.judge_all() if scope == "all" else session.packages.judge(scope)
    described, assumed = assumed_lab(session.plan, real_operators=real_operators)
    environment = session.plan.environment.model_copy(update={"lab": described})
    root = session.world.state() / "rehearsals"
    with throwaway_folder(root, environment.name, session.places.say) as folder:
        plan = replace(session.plan, environment=environment)
        places = replace(session.places, plan=plan, secret=_canaries(), folder=folder)
        inside = replace(session, plan=plan, places=places)
        tried = _try_objects(inside, packages)
        acts = list(_acts(inside, injector, options))
    simulated = next((act.report.simulated for act in acts if act.report.simulated), ())
    not_checked = [phrase for domain in lab_domains_of(session.plan).values() for phrase in domain.not_checked]
    ran = [
        f"provider {name}: the official plugin {number} ran" for name, number in session.places.tools.official.items()
    ]
    judged = (*(str(report) for report in packages), *tried, *ran)
    return Rehearsal(environment.name, tuple(acts), tuple(assumed), simulated, tuple(not_checked), judged)


def _try_objects(session: Session, packages: Sequence[PackageReport]) -> Sequence[str]:
    """Dry-run in the lab what real packages make; one sentence for each. Raises `ConfigError` when it is refused."""
    real = [report for report in packages if report.real]
    tries = [domain for domain in lab_domains_of(session.plan).values() if isinstance(domain, TriesPackages)]
    if not real or not tries:
        return ()
    session.places.start()
    folder = session.places.lab_folder()
    tried = [found for domain in tries for report in real for found in domain.try_package(folder, session.plan, report)]
    session.packages.refuse(tried)
    return [str(report) for report in tried]


def _canaries() -> Callable[[SecretSource], str]:
    made: dict[SecretSource, str] = {}
    return lambda source: made.setdefault(source, f"canary-{secrets.token_hex(12)}")


def _acts(session: Session, injector: FaultInjector | None, options: Options) -> Iterator[Act]:
    """Yield the acts until the end, or until the user asks to stop."""
    stopped = session.interrupts.stop.is_set
    if injector:
        yield _faulty(session, injector, options)
    if not stopped():
        up = session.up(options)
        yield Act("up", up, up.exit_code == 0, _failures(up) or UP)
        if up.exit_code == 0:
            again = session.up(options)
            same = all(result.outcome is Outcome.UNCHANGED for result in again.results) and again.exit_code == 0
            yield Act("up again", again, same, "unchanged" if same else "the second up was not unchanged")
    if not stopped():
        down = session.destroy(options)
        yield Act("destroy", down, down.exit_code == 0, "; ".join(down.nothing_left) or _failures(down))


def _faulty(session: Session, injector: FaultInjector, options: Options) -> Act:
    from aiinfra.lab.lab import Lab

    session.places.start()
    lab = Lab.find(session.places.lab_folder())
    assert lab is not None
    if not injector.waits:
        injector.set(lab)
    report = _up_report(replace(session, on_event=injector.watching(lab, session.on_event)), options)
    injector.lift(lab)
    missed = "" if session.interrupts.count else injector.failure_of(report)
    passed = not (missed or session.interrupts.count)
    return Act(f"up with {injector.fault}", report, passed, missed or _failures(report) or UP)


def _up_report(session: Session, options: Options) -> RunReport:
    """Return the report of an up, also of one that preflights end before any stack starts."""
    since = session.world.now()
    try:
        return session.up(options)
    except OutsideError as error:
        records = tuple(error.records())
        if any(record.where not in session.plan.steps for record in records):
            raise
        seconds = (session.world.now() - since).total_seconds()
        name = session.plan.environment.name
        return RunReport(Verb.UP, name, "", (), seconds, error.exit_code, errors=records)


def _failures(report: RunReport) -> str:
    """Return the root of each failure; where nothing started, each stack's first preflight error."""
    stacks = [f"{r.stack}: {roots(r.causes) or r.error.message}" for r in report.results if r.error]
    if report.exit_code == OutsideError.exit_code:
        first = {error.where: error for error in reversed(report.errors)}
        return "; ".join(f"{error.where}: {error.message}" for error in reversed(first.values()))
    return "; ".join((*stacks, *(f"{error.where}: {error.message}" for error in report.errors)))
