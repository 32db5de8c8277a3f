"""Before any step on a real target: does each cluster answer, and is it the one that was used before?

One request for each cluster. Nothing is begun unless all of them are in order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.engine.journal import Journal
from aiinfra.engine.wire import Secret, Tree
from aiinfra.errors import AiinfraError, ErrorRecord, OutsideError
from aiinfra.plan.planner import Plan, Step
from aiinfra.session.engine import Engine
from aiinfra.stack import GivesAccess, SecretSource, StackName

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.client.errors import KubeError

SECONDS: Final = 10.0
"""That an API server may take to answer; one that is up needs a fraction of one."""
FORBIDDEN_HINT: Final = "let the user get the namespace kube-system, whose uid is the cluster's identity"
PROXIES: Final = ("HTTPS_PROXY", "https_proxy")
Open = Callable[[SecretSource], Tree]


@dataclass(frozen=True, slots=True)
class Known:
    """A cluster that can be asked before the run."""

    stack: str
    """That gives access to it."""
    kubeconfig: str = field(repr=False)
    uid: str
    """The recorded identity; empty when the cluster was never used."""


class ClustersRefused(OutsideError):
    """Some clusters cannot be used: one record each."""

    def __init__(self, refused: Sequence[ErrorRecord]) -> None:
        first = refused[0]
        super().__init__(first.message, code=first.code, where=first.where, hint=first.hint, transient=first.transient)
        self._refused = refused

    def records(self) -> Sequence[ErrorRecord]:
        return self._refused


def given_access(step: Step, open_secret: Open) -> str | None:
    """The kubeconfig that stands in the file; None when a run must find it out. Raises `OutsideError`."""
    late = getattr(step.inputs, "kubeconfig", None)
    text = opened(open_secret(late)) if isinstance(late, SecretSource) else late
    if not isinstance(step.kind.checks, GivesAccess) or not isinstance(text, str) or not text:
        return None
    try:
        return step.kind.checks.access(step.inputs, text)
    except AiinfraError as error:
        raise OutsideError(str(error), code=error.record.code, where=step.name, hint=error.record.hint) from error


def opened(told: Tree) -> str:
    """A secret's text; empty when it is not known."""
    value = told.value if isinstance(told, Secret) else told
    return value if isinstance(value, str) else ""


def recorded_uid(stack: str, journal: Journal, engine: Engine) -> str:
    """Of the last success, else of what the state kept of a run that failed; empty when there is neither."""
    if (known := journal.success(stack)) is not None:
        return known.uid
    return opened(engine.outputs(stack).get("uid")) if stack in engine.host().stacks() else ""


def given_clusters(
    plan: Plan, chosen: Collection[StackName], journal: Journal, engine: Engine, open_secret: Open
) -> Iterator[Known]:
    """Those that the chosen stacks are or need, by what the file says of them."""
    for name, step in plan.steps.items():
        if not issubclass(step.kind.outputs, ClusterAccess) or not _used(name, plan, chosen):
            continue
        if text := given_access(step, open_secret):
            yield Known(name, text, recorded_uid(name, journal, engine))


def _used(name: StackName, plan: Plan, chosen: Collection[StackName]) -> bool:
    return name in chosen or any(name in plan.steps[other].needs for other in chosen)


def meet(clusters: Sequence[Known], environ: Mapping[str, str]) -> None:
    """Ask each cluster who it is, at once. Raises `ClustersRefused` with every one that is not in order."""
    if len(clusters) < 2:
        answers = [_refusal(cluster, environ) for cluster in clusters]
    else:
        with ThreadPoolExecutor(len(clusters), thread_name_prefix="meet") as pool:
            answers = list(pool.map(lambda cluster: _refusal(cluster, environ), clusters))
    if refused := [answer for answer in answers if answer is not None]:
        raise ClustersRefused(refused)


def _refusal(cluster: Known, environ: Mapping[str, str]) -> ErrorRecord | None:
    try:
        identify(cluster, environ)
    except AiinfraError as error:
        return error.record
    return None


def identify(cluster: Known, environ: Mapping[str, str]) -> str:
    """The uid of the cluster that answers. Raises `OutsideError` that names server and stack."""
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.client.errors import KubeError, Unreachable
    from aiinfra.domains.kubernetes.provider.clusters import other_cluster

    server = ""
    try:
        with KubeClient.from_kubeconfig(cluster.kubeconfig, timeout=SECONDS) as client:
            server = client.server
            found = client.cluster_uid()
    except Unreachable as error:
        raise _of(cluster, error.record, hint=_proxy_hint(server, environ)) from error
    except KubeError as error:
        raise _of(cluster, _told(server, error)) from error
    if cluster.uid and found != cluster.uid:
        raise _of(cluster, other_cluster(server, expected=cluster.uid, found=found).record)
    return found


def _of(cluster: Known, told: ErrorRecord, hint: str = "") -> OutsideError:
    return OutsideError(
        told.message, code=told.code, where=cluster.stack, hint=hint or told.hint, transient=told.transient
    )


def _told(server: str, error: KubeError) -> ErrorRecord:
    """What the API server's refusal means here, where all that was asked is its identity."""
    from aiinfra.domains.kubernetes.client.errors import not_kubernetes

    match error.status:
        case 403:
            said = error.record.message.partition(": ")[2]
            message = f"{server} does not tell the kubeconfig's user which cluster it is: {said}"
            return replace(error.record, message=message, hint=FORBIDDEN_HINT)
        case 404:
            return not_kubernetes(server).record
        case _:
            named = server in error.record.message
            return error.record if named else replace(error.record, message=f"{server}: {error.record.message}")


def _proxy_hint(server: str, environ: Mapping[str, str]) -> str:
    """A way out that only the environment knows: kubectl uses its proxy, a client of ours the kubeconfig's alone."""
    name = next((name for name in PROXIES if environ.get(name)), "")
    host = urlsplit(server).hostname or ""
    excepted = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    if not name or any(host.endswith(end.strip().lstrip(".*")) for end in excepted if end.strip()):
        return ""
    return f"{name} is not used for API servers: write the proxy as proxy-url of the cluster into the kubeconfig"
