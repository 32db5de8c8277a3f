"""Clusters that are gone for good, which nobody can ask what is left in them: `destroy --forget STACK`.

Only a cluster that does not answer is forgotten, as otherwise what exists there would stay and cost, known to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from aiinfra.domain_run import RunContext
from aiinfra.domains.kubernetes.identity import ClustersRefused, identify
from aiinfra.domains.kubernetes.reach import ClusterHandle, file_access
from aiinfra.errors import AiinfraError, ConfigError, ErrorRecord, OutsideError

GONE: Final = frozenset({"kube.unreachable", "cluster.another"})
"""What says that the recorded cluster is not where it was."""
STUCK: Final = GONE | {"kube.tls"}
"""What may not pass by itself, as the cluster may be gone."""
ANSWERS_HINT: Final = "leave out --forget {stack}: then what stands there is taken down"
UNSURE_HINT: Final = "{hint}; only a cluster that does not answer is forgotten"
FORGET_HINT: Final = "{hint}; if it is gone for good: aiinfra destroy {environment} --forget {stack}"


@contextmanager
def forget_hint(environment: str) -> Iterator[None]:
    """Inside, an error of a cluster that may be gone says how to destroy without it."""
    try:
        yield
    except OutsideError as error:
        if not any(record.code in STUCK for record in error.records()):
            raise
        raise ClustersRefused([_with_hint(record, environment) for record in error.records()]) from error


def _with_hint(record: ErrorRecord, environment: str) -> ErrorRecord:
    if record.code not in STUCK:
        return record
    return replace(record, hint=FORGET_HINT.format(hint=record.hint, environment=environment, stack=record.where))


def stacks_in(
    forgotten: Sequence[ClusterHandle],
    destroyed: Mapping[str, Sequence[str]],
    unswept: Sequence[ClusterHandle],
    run: RunContext,
) -> dict[str, str]:
    """The stacks that work in forgotten clusters, each with its cluster, as the file or the last success has it.

    `destroyed`: what each stack that is destroyed needs. `unswept`: clusters that exist and that nobody will ask what
    is left. Raises `ConfigError` for a stack that works in one of those too.
    """
    found = {}
    for stack, needs in destroyed.items():
        known = run.journal.success(stack)
        needed = {*needs, *(known.needs if known else ())}
        for cluster in forgotten:
            if cluster.stack in needed:
                found[stack] = cluster.stack
        for other in unswept:
            if stack in found and other.stack in needed:
                raise _works_in_both(stack, other.stack)
    return found


def _works_in_both(stack: str, other: str) -> ConfigError:
    message = f"{stack} stands in {other} too, where only a destroy of all stacks looks for what is left"
    hint = f"leave out --only, or add --forget {other} if it is gone as well"
    return ConfigError(message, code="flags.invalid", where="--forget", hint=hint)


def prove_gone(cluster: ClusterHandle, run: RunContext) -> str:
    """How it is known that the cluster does not answer. Raises `OutsideError` when it does, or may.

    It is asked by the recorded access and by the file's: a cluster may have moved.
    """
    refused: list[tuple[str, ErrorRecord]] = []
    for access in _accesses(cluster, run):
        try:
            identify(access, run.environ)
        except AiinfraError as error:
            refused.append((_server(access), error.record))
        else:
            message = "the cluster answers, so nothing in it is forgotten"
            hint = ANSWERS_HINT.format(stack=cluster.stack)
            raise OutsideError(message, code="cluster.answers", where=cluster.stack, hint=hint)
    return _reason(refused)


def _accesses(cluster: ClusterHandle, run: RunContext) -> Iterator[ClusterHandle]:
    yield cluster
    try:
        given = file_access(run, cluster.stack)
    except AiinfraError:
        return  # what the file gives is no kubeconfig: there is nobody else to ask
    if given and given.kubeconfig != cluster.kubeconfig:
        yield replace(cluster, kubeconfig=given.kubeconfig)


def _server(access: ClusterHandle) -> str:
    from aiinfra.domains.kubernetes.client import kubeconfig
    from aiinfra.domains.kubernetes.client.errors import KubeError

    try:
        return kubeconfig.parse(access.kubeconfig).server
    except KubeError:
        return ""


def _reason(refused: Sequence[tuple[str, ErrorRecord]]) -> str:
    """Why it counts as gone. Another cluster at an address explains why a recorded access no longer fits there."""
    replaced = {server: record.message for server, record in refused if record.code == "cluster.another"}
    for server, record in refused:
        if record.code not in GONE and server not in replaced:
            hint = UNSURE_HINT.format(hint=record.hint or "look at what answers there")
            raise OutsideError(record.message, code=record.code, where=record.where, hint=hint)
    server, first = refused[0]
    return replaced.get(server, first.message)
