"""Rehearse any environment in a throw-away lab: up, proof, destroy, nothing left; a timeline and a verdict.

The outside world is swapped for the lab before any secret is resolved: connection fields are replaced, other secrets
become canaries, hardware that the file does not describe is assumed from what the stacks ask for, and listed.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aiinfra.engine.events import Outcome, RunReport
from aiinfra.errors import ErrorRecord
from aiinfra.model.environment import Environment
from aiinfra.model.lab import LabCluster, LabSpec, NodeGroup
from aiinfra.plan.planner import Plan, Step
from aiinfra.session.options import Options
from aiinfra.session.places import Places
from aiinfra.session.session import Session
from aiinfra.stack import ClusterNeed, LabNeeds, SecretSource, StackName, Surroundings

DEFAULT_GPU = "A100-SXM4-40GB"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to inject: `NAME` or `NAME@STACK`."""

    name: str
    place: str = ""

    @classmethod
    def parse(cls, text: str) -> Fault:
        name, _, place = text.partition("@")
        return cls(name, place)


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
    spec, assumed = assumed_lab(session.plan)
    environment = session.plan.environment.model_copy(update={"target": "lab", "lab": spec})
    planned = replace(session.plan, environment=environment)
    canaries: dict[SecretSource, str] = {}

    def canary(source: SecretSource) -> str:
        return canaries.setdefault(source, f"canary-{secrets.token_hex(12)}")

    with tempfile.TemporaryDirectory(prefix="aiinfra-rehearsal-") as folder:
        places = Places(
            session.world,
            planned,
            session.loaded.path,
            session.places.tools,
            session.places.say,
            secret=canary,
            folder=Path(folder) / environment.name,
        )
        rehearsed = replace(session, plan=planned, places=places)
        try:
            acts = list(_acts(rehearsed, fault, options))
        finally:
            _remove(places)
    simulated = next((act.report.simulated for act in acts), ())
    return Rehearsal(environment.name, tuple(acts), tuple(assumed), simulated)


def _acts(session: Session, fault: Fault | None, options: Options) -> Iterator[Act]:
    if fault:
        place = session.places.started()
        yield _faulty(session, fault, options)
        _lift(session, fault)
        del place
    up = session.up(options)
    yield Act("up", up, up.exit_code == 0, "every stack is up" if up.exit_code == 0 else _failures(up))
    again = session.up(options)
    same = all(result.outcome is Outcome.UNCHANGED for result in again.results) and again.exit_code == 0
    yield Act("up again", again, same, "unchanged" if same else "the second up was not unchanged")
    down = session.destroy(options)
    yield Act("destroy", down, down.exit_code == 0, "; ".join(down.nothing_left) or _failures(down))


def _faulty(session: Session, fault: Fault, options: Options) -> Act:
    from aiinfra.lab.lab import Lab

    lab = Lab.find(session.places.lab_folder())
    assert lab is not None
    lab.set_fault(fault.name, fault.place)
    report = session.up(options)
    told = [r for r in report.results if r.outcome is Outcome.FAILED]
    passed = bool(told)
    return Act(f"up with {fault.name}", report, passed, _failures(report) if passed else "the fault was not noticed")


def _lift(session: Session, fault: Fault) -> None:
    from aiinfra.lab.lab import Lab

    lab = Lab.find(session.places.lab_folder())
    if lab is not None:
        lab.lift_fault(fault.name)


def _remove(places: Places) -> None:
    from aiinfra.lab.lab import Lab

    lab = Lab.find(places.lab_folder())
    if lab is not None:
        lab.stop()


def _failures(report: RunReport) -> str:
    errors: list[ErrorRecord] = [r.error for r in report.results if r.error] + list(report.errors)
    return "; ".join(f"{error.where}: {error.message}" for error in errors) or f"exit {report.exit_code}"


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
