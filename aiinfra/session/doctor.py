"""Ask the outside world whether an environment can work, and judge the answers. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aiinfra.disk import CACHE, STATE, why_unusable
from aiinfra.domains.kubernetes.identity import Known, given_access, identify, recorded_uid
from aiinfra.domains.vsphere.block import FIELD
from aiinfra.errors import AiinfraError, ConfigError
from aiinfra.model.state_url import shown
from aiinfra.plan.planner import Step
from aiinfra.session.engine import Engine
from aiinfra.session.keys import NEVER_UP
from aiinfra.session.place import Place
from aiinfra.session.session import Session
from aiinfra.session.vcenters import in_vcenters
from aiinfra.session.work import Turn
from aiinfra.stack import Finding, GivesAccess, Preflight
from aiinfra.world import World


@dataclass(frozen=True, slots=True)
class Examined:
    """What was asked about one thing, and the findings."""

    subject: str
    """`machine`, `toolchain`, `secrets`, `state`, or a stack."""
    finding: Finding


def examine(session: Session) -> list[Examined]:
    """Every finding, `ok` ones included: an empty list is impossible."""
    return list(_examine(session))


def _examine(session: Session) -> Iterator[Examined]:
    yield from _folders(session.world)
    yield from _toolchain(session)
    try:
        secrets = session.secrets()
    except ConfigError as error:
        for problem in error.problems:
            yield Examined(
                "secrets", Finding("error", problem.path, problem.message, "a value", problem.hint, code=problem.code)
            )
        return
    yield Examined("secrets", Finding("ok", "secret sources", f"{len(secrets)} read", "all of them"))
    with session.reading() as (told, place, engine):
        if place is None or engine is None:
            yield Examined("state", Finding("ok", told, "not started yet", "nothing: `aiinfra up` starts it"))
            return
        state = _answered("state", lambda: _state(engine, place))
        yield state
        if state.finding.level == "error":
            return
        journal = session.journal(place, engine)
        turn = session.turn(place, engine, journal, journal.environment_id() or NEVER_UP, secrets)
        for step in turn.plan.steps.values():
            yield from _stack(step, turn)
        yield from _vcenters(turn)


def _folders(world: World) -> Iterator[Examined]:
    for folder, variable in ((world.state(), STATE), (world.cache(), CACHE)):
        if why := why_unusable(folder):
            hint = f"set {variable} to a folder that you may write to, on a disk with space"
            yield Examined("machine", Finding("error", str(folder), why, "to be usable", hint, code="machine.folder"))
        else:
            yield Examined("machine", Finding("ok", str(folder), "usable", "to be usable"))


def _toolchain(session: Session) -> Iterator[Examined]:
    names = ("aiinfra-engine", *session.places.lab_tools)
    toolchain = session.places.toolchain
    for name in names:
        if toolchain.find(toolchain.tools[name]) is None:
            yield Examined(
                "toolchain", Finding("warning", name, "not here yet", "to be here", "aiinfra toolchain install")
            )
        else:
            yield Examined("toolchain", Finding("ok", name, "here", "to be here"))


def _state(engine: Engine, place: Place) -> Finding:
    stacks = engine.host().stacks()
    engine.host().ready()
    return Finding("ok", shown(place.state_url), f"{len(stacks)} stacks", "to be readable, its secrets to open")


def _answered(subject: str, ask: Callable[[], Finding]) -> Examined:
    try:
        return Examined(subject, ask())
    except AiinfraError as error:
        record = error.record
        return Examined(
            subject,
            Finding("error", record.where or subject, record.message, "an answer", record.hint, code=record.code),
        )


def _stack(step: Step, turn: Turn) -> Iterator[Examined]:
    facts: dict[str, object] = {}
    if isinstance(step.kind.checks, GivesAccess):
        yield _answered(step.name, lambda: _cluster(step, turn, facts))
    if isinstance(step.kind.checks, Preflight) and FIELD not in step.kind.connection:
        for finding in step.kind.checks.preflight(step.inputs, facts):
            yield Examined(step.name, finding)


def _vcenters(turn: Turn) -> Iterator[Examined]:
    if steps := in_vcenters(turn.plan.steps.values()):
        from aiinfra.domains.vsphere.preflight import judged

        yield from (Examined(one.stack, one.finding) for one in judged(turn, steps))


def _cluster(step: Step, turn: Turn, facts: dict[str, object]) -> Finding:
    from aiinfra.domains.kubernetes.client.client import KubeClient

    about, kubeconfig = f"cluster of {step.name}", given_access(step, turn.secret)
    if not kubeconfig:
        return Finding("unknown", about, "not asked, as another stack gives its kubeconfig", "to answer")
    known = Known(step.name, kubeconfig, recorded_uid(step.name, turn.journal, turn.engine))
    uid = identify(known, turn.world.environ)
    with KubeClient.from_kubeconfig(kubeconfig) as client:
        version, nodes = client.version(), client.list("v1", "Node")
    facts["kubernetes"] = {"uid": uid, "version": version, "nodes": nodes}
    return Finding("ok", about, f"{version}, {len(nodes)} nodes", "to answer")
