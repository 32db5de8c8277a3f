"""What a destroy forgets: stacks in clusters that are gone for good, which nobody can ask what is left in them.

Only a cluster that does not answer is given up, as otherwise what stands there would stay and cost, known to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from aiinfra.domains.kubernetes.identity import ClustersRefused, Known, given_access, identify
from aiinfra.engine.events import Outcome, StackResult
from aiinfra.errors import AiinfraError, ConfigError, ErrorRecord, OutsideError
from aiinfra.session.failing import failure
from aiinfra.session.work import Turn
from aiinfra.stack import StackName

GONE: Final = frozenset({"kube.unreachable", "cluster.another"})
"""What says that the recorded cluster is not where it was."""
STUCK: Final = GONE | {"kube.tls"}
"""What may not pass by itself, as the cluster may be gone."""
ANSWERS_HINT: Final = "leave out --forget {stack}: then what stands there is taken down"
UNSURE_HINT: Final = "{hint}; only a cluster that does not answer is forgotten"
WAY_OUT: Final = "{hint}; if it is gone for good: aiinfra destroy {environment} --forget {stack}"


@contextmanager
def way_out(environment: str) -> Iterator[None]:
    """Inside, who finds a cluster that cannot be asked is told how to go on without it."""
    try:
        yield
    except OutsideError as error:
        if not any(record.code in STUCK for record in error.records()):
            raise
        raise ClustersRefused([_offered(record, environment) for record in error.records()]) from error


def _offered(record: ErrorRecord, environment: str) -> ErrorRecord:
    if record.code not in STUCK:
        return record
    return replace(record, hint=WAY_OUT.format(hint=record.hint, environment=environment, stack=record.where))


def given_up_clusters(stacks: Sequence[str], clusters: Sequence[Known]) -> list[Known]:
    """Those of these stacks. Raises `ConfigError` for a stack that gives access to none."""
    known = {cluster.stack: cluster for cluster in clusters}
    for name in stacks:
        if name not in known:
            hint = f"those that do: {', '.join(known)}" if known else "no stack does"
            message = f"{name} gives access to no cluster"
            raise ConfigError(message, code="flags.invalid", where="--forget", hint=hint)
    return [known[name] for name in dict.fromkeys(stacks)]


def doomed(
    forgotten: Sequence[Known], chosen: Mapping[str, Sequence[str]], others: Sequence[Known], turn: Turn
) -> dict[str, str]:
    """The stacks that stand in them, each with its cluster, as the file or the last success tells.

    `chosen`: what each stack that is taken down needs. `others`: clusters that nobody will ask what is left.
    Raises `ConfigError` for a stack that stands in one of those too.
    """
    found = {}
    for stack, wants in chosen.items():
        known = turn.journal.success(stack)
        stands = {*wants, *(known.needs if known else ())}
        for cluster in forgotten:
            if cluster.stack in stands:
                found[stack] = cluster.stack
        for other in others:
            if stack in found and other.stack in stands:
                raise _torn(stack, other.stack)
    return found


def _torn(stack: str, other: str) -> ConfigError:
    message = f"{stack} stands in {other} too, where only a destroy of all stacks looks for what is left"
    hint = f"leave out --only, or add --forget {other} if it is gone as well"
    return ConfigError(message, code="flags.invalid", where="--forget", hint=hint)


def prove_gone(cluster: Known, turn: Turn) -> str:
    """How it is known that the cluster does not answer. Raises `OutsideError` when it does, or may.

    It is asked by the recorded access and by the file's: a cluster may have moved.
    """
    refused: list[tuple[str, ErrorRecord]] = []
    for access in _accesses(cluster, turn):
        try:
            identify(access, turn.world.environ)
        except AiinfraError as error:
            refused.append((_server(access), error.record))
        else:
            message = "the cluster answers, so nothing in it is forgotten"
            hint = ANSWERS_HINT.format(stack=cluster.stack)
            raise OutsideError(message, code="cluster.answers", where=cluster.stack, hint=hint)
    return _judged(refused)


def _accesses(cluster: Known, turn: Turn) -> Iterator[Known]:
    yield cluster
    step = turn.plan.steps.get(StackName(cluster.stack))
    try:
        given = given_access(step, turn.secret) if step else None
    except AiinfraError:
        return  # what the file gives is no kubeconfig: there is nobody else to ask
    if given and given != cluster.kubeconfig:
        yield replace(cluster, kubeconfig=given)


def _server(access: Known) -> str:
    from aiinfra.domains.kubernetes.client import kubeconfig
    from aiinfra.domains.kubernetes.client.errors import KubeError

    try:
        return kubeconfig.parse(access.kubeconfig).server
    except KubeError:
        return ""


def _judged(refused: Sequence[tuple[str, ErrorRecord]]) -> str:
    """Why it counts as gone. Another cluster at an address explains why a recorded access no longer fits there."""
    anew = {server: record.message for server, record in refused if record.code == "cluster.another"}
    for server, record in refused:
        if record.code not in GONE and server not in anew:
            hint = UNSURE_HINT.format(hint=record.hint or "look at what answers there")
            raise OutsideError(record.message, code=record.code, where=record.where, hint=hint)
    server, first = refused[0]
    return anew.get(server, first.message)


def forget(turn: Turn, stack: str, kind: str, cluster: str) -> StackResult:
    """Drop the stack from the state. Nothing is asked and nothing removed."""
    try:
        return _forgotten(turn, stack, kind, cluster)
    except AiinfraError as error:
        return failure(turn, kind, stack, error)


def _forgotten(turn: Turn, stack: str, kind: str, cluster: str) -> StackResult:
    if not turn.stood(stack):
        turn.journal.destroyed(stack)
        return StackResult(stack, kind, Outcome.DESTROYED, 0.0, "was not there")
    host = turn.engine.host()
    held = host.export(stack)["deployment"].get("resources") or ()
    count = sum(not one["type"].startswith("pulumi:") for one in held)
    host.remove_stack(stack, force=True)
    turn.journal.destroyed(stack)
    what = "1 resource" if count == 1 else f"{count} resources"
    return StackResult(stack, kind, Outcome.FORGOTTEN, 0.0, f"{what} in {cluster}, which does not answer")


def not_asked(gone: Mapping[str, str], stacks: Mapping[str, str]) -> list[str]:
    """What a destroy leaves unknown, a sentence for each cluster."""
    told = []
    for cluster, why in gone.items():
        what = ", ".join(stack for stack, name in stacks.items() if name == cluster)
        told.append(f"cluster {cluster}, with what is left of {what or 'no stack'} ({why})")
    return told
