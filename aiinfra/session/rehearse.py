"""Rehearse any environment in a throw-away lab: up, proof, destroy, nothing left; a timeline and a verdict.

The outside world is swapped for the lab before any secret is resolved: connection fields are replaced, other secrets
become canaries, hardware that the file does not describe is assumed from what the stacks ask for, and listed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from aiinfra.engine.events import Outcome, RunReport
from aiinfra.model.environment import Environment
from aiinfra.model.lab import LabCluster, LabSpec, NodeGroup
from aiinfra.plan.planner import Plan, Step
from aiinfra.session.breaking import Breaker, Fault
from aiinfra.session.options import Options
from aiinfra.session.session import Session
from aiinfra.session.throwaway import thrown_away
from aiinfra.stack import ClusterNeed, LabNeeds, SecretSource, StackName, Surroundings

DEFAULT_GPU = "A100-SXM4-40GB"


@dataclass(frozen=True, slots=True)
class Act:
    """One step of a rehearsal, for its timeline."""

    name: str
    report: RunReport
    passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal found."""

    environment: str
    acts: Sequence[Act]
    assumed: Sequence[str]
    simulated: Sequence[str]

    @property
    def passed(self) -> bool:
        return bool(self.acts) and all(act.passed for act in self.acts)


def rehearse(session: Session, fault: Fault | None, options: Options) -> Rehearsal:
    """Run the whole life of the environment in a lab of its own; the lab is removed whatever happens."""
    breaker = Breaker(fault, session.plan) if fault else None
    spec, assumed = assumed_lab(session.plan)
    environment = session.plan.environment.model_copy(update={"lab": spec})
    root = session.world.state() / "rehearsals"
    with thrown_away(root, environment.name, session.places.say) as folder:
        plan = replace(session.plan, environment=environment)
        places = replace(session.places, plan=plan, secret=_canaries(), folder=folder)
        acts = list(_acts(replace(session, plan=plan, places=places), breaker, options))
    simulated = next((act.report.simulated for act in acts), ())
    return Rehearsal(environment.name, tuple(acts), tuple(assumed), simulated)


def _canaries() -> Callable[[SecretSource], str]:
    made: dict[SecretSource, str] = {}
    return lambda source: made.setdefault(source, f"canary-{secrets.token_hex(12)}")


def _acts(session: Session, breaker: Breaker | None, options: Options) -> Iterator[Act]:
    """The acts until the end, or until the user asks to stop."""
    stopped = session.interrupts.stop.is_set
    if breaker:
        yield _faulty(session, breaker, options)
    if not stopped():
        up = session.up(options)
        yield Act("up", up, up.exit_code == 0, _failures(up) or "every stack is up")
        if up.exit_code == 0:
            again = session.up(options)
            same = all(result.outcome is Outcome.UNCHANGED for result in again.results) and again.exit_code == 0
            yield Act("up again", again, same, "unchanged" if same else "the second up was not unchanged")
    if not stopped():
        down = session.destroy(options)
        yield Act("destroy", down, down.exit_code == 0, "; ".join(down.nothing_left) or _failures(down))


def _faulty(session: Session, breaker: Breaker, options: Options) -> Act:
    from aiinfra.lab.lab import Lab

    session.places.started()
    lab = Lab.find(session.places.lab_folder())
    assert lab is not None
    if not breaker.waits:
        breaker.set(lab)
    report = replace(session, on_event=breaker.heard(lab, session.on_event)).up(options)
    breaker.lift(lab)
    missed = "" if session.interrupts.count else breaker.judged(report)
    passed = not (missed or session.interrupts.count)
    return Act(f"up with {breaker.fault}", report, passed, missed or _failures(report))


def _failures(report: RunReport) -> str:
    """The root of each failure."""
    stacks = [f"{r.stack}: {r.causes[-1] if r.causes else r.error.message}" for r in report.results if r.error]
    return "; ".join((*stacks, *(f"{error.where}: {error.message}" for error in report.errors)))


def assumed_lab(planned: Plan) -> tuple[LabSpec, list[str]]:
    """The lab's description with what the file leaves out, and a sentence for each assumption. Pure."""
    environment: Environment = planned.environment
    clusters, assumed = dict(environment.lab.clusters), list[str]()
    around = Surroundings("lab", {name: (step.kind.kind, step.inputs) for name, step in planned.steps.items()})
    needs = [need for step in planned.steps.values() for need in _needs(step, around)]
    for name, step in planned.steps.items():
        if step.kind.kind != "existing_cluster" or name in clusters:
            continue
        clusters[name] = _cluster(name, needs)
        gpu = clusters[name].nodes["gpu"]
        assumed.append(f"cluster {name}: {gpu.count} nodes with {gpu.gpus} x {gpu.gpu} each, and 1 without a GPU")
    return environment.lab.model_copy(update={"clusters": clusters}), assumed


def _needs(step: Step, around: Surroundings) -> list[ClusterNeed]:
    checks = step.kind.checks
    return list(checks.lab_needs(step.inputs, around)) if isinstance(checks, LabNeeds) else []


def _cluster(name: StackName, needs: Sequence[ClusterNeed]) -> LabCluster:
    mine = [need for need in needs if need.cluster in (name, None)]
    group = NodeGroup(
        count=max([need.gpu_nodes for need in mine], default=2) or 2,
        gpus=max([need.gpus_per_node for need in mine], default=8) or 8,
        gpu=next((need.gpu_model for need in mine if need.gpu_model), DEFAULT_GPU),
    )
    return LabCluster(nodes={"cpu": NodeGroup(count=1), "gpu": group})
