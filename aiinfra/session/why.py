"""Why a stack is as it is: what is recorded, what it waits for, and what its cluster says of its failure now.

Reads only: no lock is taken and nothing is started that was not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.domains.kubernetes.lab.domain import LAB as CLUSTERS
from aiinfra.engine.journal import Failure, Journal
from aiinfra.engine.lock import read_holder
from aiinfra.engine.wire import Secret
from aiinfra.errors import AiinfraError, StepError
from aiinfra.plan.graph import upstream
from aiinfra.plan.planner import Plan
from aiinfra.plan.selection import known
from aiinfra.session.engine import Engine
from aiinfra.session.place import Place
from aiinfra.session.session import Session
from aiinfra.session.work import proof_notes
from aiinfra.stack import SecretSource, StackName
from aiinfra.ui.why import Known, Now, Why


def why(session: Session, stack: str) -> Why:
    """Raises `ConfigError` for a stack that the file does not have, `OutsideError` when the record cannot be read."""
    known(session.plan, "STACK", [stack])
    with session.reading() as (told, place, engine):
        if place is None or engine is None:
            return _explained(session, StackName(stack), told, None, [])
        journal = session.journal(place, engine)
        now = list(_asked(session.plan, StackName(stack), place, engine, journal))
        return _explained(session, StackName(stack), told, journal, now)


def _explained(session: Session, stack: StackName, place: str, journal: Journal | None, now: Sequence[Now]) -> Why:
    plan = session.plan
    behind = upstream(plan.needs, [stack])
    records = {name: _known(session, name, journal) for name in plan.steps if name in behind}
    waits = [record for name, record in records.items() if name != stack and record.state != "up"]
    return Why(
        environment=plan.environment.name,
        place=place,
        stack=records[stack],
        waits_for=sorted(waits, key=lambda record: record.state != "failed"),
        needs=[records[name] for name in plan.steps if name in plan.steps[stack].needs],
        needed_by=[str(name) for name, step in plan.steps.items() if stack in step.needs],
        holder=read_holder(journal.notes) if journal else None,
        now=now,
    )


def _known(session: Session, name: StackName, journal: Journal | None) -> Known:
    kind = session.plan.steps[name].kind.kind
    if journal is None:
        return Known(name, kind, "not up")
    success, failure = journal.success(name), journal.failure(name)
    if name in journal.left_running():
        return Known(name, kind, "begun", failure=failure)
    if success:
        notes = proof_notes(success, session.world.now())
        return Known(name, kind, "up", success.at, success.seconds, notes, failure)
    if failure:
        return Known(name, kind, "failed", failure.at, failure.seconds, failure=failure)
    return Known(name, kind, "half destroyed" if journal.half_destroyed(name) else "not up")


def _asked(plan: Plan, stack: StackName, place: Place, engine: Engine, journal: Journal) -> Iterator[Now]:
    """Each cluster that the stack stands in, if the record has access to it."""
    failure = journal.failure(stack)
    for cluster in CLUSTERS.access(plan, stack):
        if access := _access(cluster, place, engine, journal):
            yield _now(cluster, access, failure, journal)


def _access(cluster: StackName, place: Place, engine: Engine, journal: Journal) -> str:
    """The kubeconfig of a cluster: the lab's, or what its stack gave; empty when there is none."""
    source = place.connection.inputs.get(cluster, {}).get("kubeconfig")
    told = place.connection.secrets.get(source) if isinstance(source, SecretSource) else None
    if told is None and journal.success(cluster):
        told = engine.outputs(cluster).get("kubeconfig")
    access = told.value if isinstance(told, Secret) else told
    return access if isinstance(access, str) else ""


def _now(cluster: str, kubeconfig: str, failure: Failure | None, journal: Journal) -> Now:
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.diagnosis.explain import explained

    try:
        with KubeClient.from_kubeconfig(kubeconfig) as client:
            uid, version = client.cluster_uid(), client.version()
    except AiinfraError as error:
        return Now(cluster, f"cannot be asked: {error}", answers=False, hint=error.record.hint)
    recorded = journal.success(cluster)
    if recorded and recorded.uid not in {"", uid}:
        return Now(cluster, f"another cluster answers: its identity is {uid}, not {recorded.uid}", answers=False)
    says = f"answers, {version}"
    if failure is None:
        return Now(cluster, says, answers=True)
    found = explained(StepError(failure.error.message), kubeconfig)
    return Now(cluster, says, answers=True, causes=found.causes, hint=found.record.hint)
