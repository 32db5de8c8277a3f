"""How the cluster of a stack is reached: the one answer for verify, observe, explain, settle and destroy."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domain_run import RunContext
from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.engine.wire import Secret, Tree
from aiinfra.errors import AiinfraError, OutsideError
from aiinfra.plan.planner import Plan, Step
from aiinfra.stack import GivesAccess, SecretSource, StackName


@dataclass(frozen=True, slots=True)
class ClusterHandle:
    """A cluster that can be asked."""

    stack: str
    """The stack that gives access to it."""
    kubeconfig: str = field(repr=False)
    uid: str
    """The recorded identity; empty when the cluster was never used."""


def is_cluster(step: Step) -> bool:
    """Whether the stack gives access to a cluster, whoever made that."""
    return issubclass(step.kind.outputs, ClusterAccess)


def all_clusters(plan: Plan) -> list[StackName]:
    return [name for name, step in plan.steps.items() if is_cluster(step)]


def clusters_of(plan: Plan, stack: str) -> list[StackName]:
    """The stacks that give access to the clusters in which a stack works: itself, or the nearest that it needs."""
    step = plan.steps.get(StackName(stack))
    if step is None:
        return []
    if is_cluster(step):
        return [step.name]
    return sorted({name for needed in step.needs for name in clusters_of(plan, needed)})


def clusters_used(plan: Plan, chosen: Collection[StackName]) -> list[StackName]:
    """The clusters that these stacks are or work in, in the order of the plan."""
    used = {cluster for stack in chosen for cluster in clusters_of(plan, stack)}
    return [name for name in plan.steps if name in used]


def file_access(run: RunContext, stack: str) -> ClusterHandle | None:
    """By what the file says (in a lab, by what the lab gives); None when only the stack itself can tell.

    Raises `OutsideError` for a kubeconfig that cannot be used.
    """
    step = run.plan.steps.get(StackName(stack))
    text = _file_kubeconfig(run, step) if step else ""
    return ClusterHandle(stack, text, recorded_uid(run, stack)) if text else None


def recorded_access(run: RunContext, stack: str) -> ClusterHandle | None:
    """By what the stack gave when it was last up; None when the state does not have it."""
    outputs = run.recorded_outputs(stack)
    text = plain_text(outputs.get("kubeconfig"))
    return ClusterHandle(stack, text, plain_text(outputs.get("uid"))) if text else None


def access_to(run: RunContext, stack: str) -> ClusterHandle | None:
    """Whichever is there: what the stack gave, else what the file says. Raises `OutsideError`."""
    return recorded_access(run, stack) or file_access(run, stack)


def accesses(run: RunContext, stack: str) -> Iterator[ClusterHandle]:
    """To each cluster that a stack works in, where there is any; a kubeconfig that cannot be used is passed over."""
    for cluster in clusters_of(run.plan, stack):
        try:
            handle = access_to(run, cluster)
        except OutsideError:
            continue
        if handle is not None:
            yield handle


def recorded_uid(run: RunContext, stack: str) -> str:
    """The identity of the last success, else what the state kept of a run that failed; empty when there is neither."""
    if (known := run.journal.success(stack)) is not None:
        return known.uid
    return plain_text(run.recorded_outputs(stack).get("uid"))


def plain_text(value: Tree) -> str:
    """A text, or the text in a secret; empty when it is not known."""
    inner = value.value if isinstance(value, Secret) else value
    return inner if isinstance(inner, str) else ""


def _file_kubeconfig(run: RunContext, step: Step) -> str:
    given = getattr(step.inputs, "kubeconfig", None)
    text = plain_text(run.open_secret(given)) if isinstance(given, SecretSource) else given
    if not isinstance(step.kind.checks, GivesAccess) or not isinstance(text, str) or not text:
        return ""
    try:
        return step.kind.checks.access(step.inputs, text)
    except AiinfraError as error:
        raise OutsideError(str(error), code=error.record.code, where=step.name, hint=error.record.hint) from error
