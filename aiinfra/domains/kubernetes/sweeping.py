"""The sweep after a destroy: note what it needs while that exists, then remove what is ours, and report the rest.

A chart puts objects outside of its namespace and on none of them our mark. They are ours when Helm's annotation names
a namespace of ours, so those are noted while they stand: a stack takes its namespace down before we ask.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from aiinfra.dataclass import dataclass
from aiinfra.domain_run import SweepReport
from aiinfra.domains.kubernetes.identity import error_of
from aiinfra.domains.kubernetes.needs import NodeLeftovers
from aiinfra.domains.kubernetes.reach import ClusterHandle
from aiinfra.engine.journal import Journal
from aiinfra.errors import AiinfraError, ErrorRecord, LeftBehind
from aiinfra.waiting import Waiter

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.objects.node_leftovers import NodeCleanup
    from aiinfra.domains.kubernetes.objects.sweep import SweepResult

HINT: Final = "look at its finalizers"


def memo_key(uid: str) -> str:
    """Where the journal keeps the namespaces that were seen in the cluster with this uid: uid by name."""
    return f"namespaces/{uid}"


def note_namespaces(journal: Journal, environment_id: str, clusters: Iterable[ClusterHandle]) -> None:
    """To be called before anything is taken down. Raises `OutsideError` when a cluster does not answer.

    A cluster that answers and does not tell is passed over: what cannot be asked is told by the sweep.
    """
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.client.errors import KubeError, Refused
    from aiinfra.domains.kubernetes.objects.sweep import namespaces_of

    for cluster in clusters:
        try:
            with KubeClient.from_kubeconfig(cluster.kubeconfig) as client:
                journal.extend_memo(memo_key(client.cluster_uid()), namespaces_of(client, environment_id))
        except Refused:
            continue
        except KubeError as error:
            raise error_of(cluster, error.record) from error


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Removes what carries an environment's id, and what its operators wrote on nodes."""

    environment_id: str
    memo: Callable[[str], Mapping[str, str]]
    """Under `memo_key` of a cluster, the namespaces that bore the id, uid by name."""
    leftovers: Sequence[NodeLeftovers]
    """Of the environment's operators."""
    say: Callable[[str], None]
    stop: threading.Event
    limit_seconds: float
    """For what was asked to go."""

    def sweep(self, kubeconfigs: Mapping[str, str]) -> SweepReport:
        """In each cluster, by the name of the stack that gave access to it. Raises `Stopped`."""
        looked: list[str] = []
        left: list[ErrorRecord] = []
        for stack, kubeconfig in kubeconfigs.items():
            try:
                swept, cleared = self._clear(kubeconfig)
            except AiinfraError as error:
                left.append(_not_asked(stack, error))
            else:
                looked.append(self._sentence(stack, swept, cleared))
                left += [
                    ErrorRecord(LeftBehind.default_code, stack, str(item), item.hint or HINT) for item in swept.left
                ]
        return SweepReport(tuple(looked), tuple(left))

    def _clear(self, kubeconfig: str) -> tuple[SweepResult, NodeCleanup]:
        from aiinfra.domains.kubernetes.client.client import KubeClient
        from aiinfra.domains.kubernetes.objects.node_leftovers import remove_node_leftovers
        from aiinfra.domains.kubernetes.objects.sweep import sweep

        waiter = Waiter(self.limit_seconds, stop=self.stop, on_wait=lambda what, seconds: self.say(what))
        with KubeClient.from_kubeconfig(kubeconfig) as client:
            swept = sweep(
                client,
                self.environment_id,
                namespaces=self.memo(memo_key(client.cluster_uid())),
                say=self.say,
                stop=self.stop,
                limit_seconds=self.limit_seconds,
            )
            return swept, remove_node_leftovers(client, self.leftovers, waiter)

    def _sentence(self, stack: str, swept: SweepResult, cleared: NodeCleanup) -> str:
        parts = [f"{len(swept.left)} objects marked {self.environment_id}"]
        if swept.removed:
            parts.append(f"{len(swept.removed)} swept")
        if cleared.removed:
            parts.append(f"{cleared.removed} labels and annotations of operators taken off nodes")
        if cleared.remaining:
            parts.append(f"on nodes stay, as others set them, {', '.join(cleared.remaining)}")
        return f"cluster {stack} ({'; '.join(parts)})"


def _not_asked(stack: str, error: AiinfraError) -> ErrorRecord:
    message = f"the cluster of {stack} could not be asked what is left: {error}"
    hint = error.record.hint or "make the cluster reachable and run destroy again"
    return ErrorRecord(LeftBehind.default_code, stack, message, hint, transient=True)


def namesakes_left(kubeconfigs: Mapping[str, str], environment: str) -> SweepReport:
    """What carries the environment's name when its id is lost: listed, not removed, as it may be a namesake's."""
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.objects.blockers import refs_text
    from aiinfra.domains.kubernetes.objects.sweep import namesakes

    left: list[ErrorRecord] = []
    for stack, kubeconfig in kubeconfigs.items():
        with KubeClient.from_kubeconfig(kubeconfig) as client:
            for id, refs in namesakes(client, environment).items():
                message = f"{refs_text(refs)} carry the name {environment} and the id {id}"
                hint = f"if they are this environment's: aiinfra destroy {environment} --environment-id {id}"
                left.append(ErrorRecord(LeftBehind.default_code, stack, message, hint))
    looked = tuple(f"cluster {stack} (its objects named {environment})" for stack in kubeconfigs)
    return SweepReport(looked, tuple(left))


def unclaimed(kubeconfigs: Mapping[str, str], namespaces: Collection[str]) -> Sequence[ErrorRecord]:
    """What releases in these namespaces left when they went: listed where the state that could tell is lost."""
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.objects.blockers import refs_text
    from aiinfra.domains.kubernetes.objects.sweep import release_leftovers

    left: list[ErrorRecord] = []
    hint = "nothing tells whose they are; if this environment made them, delete them"
    for stack, kubeconfig in kubeconfigs.items():
        try:
            with KubeClient.from_kubeconfig(kubeconfig) as client:
                found = release_leftovers(client, namespaces)
        except AiinfraError as error:
            left.append(_not_asked(stack, error))
            continue
        for namespace, refs in found.items():
            message = f"{refs_text(refs)} came with a Helm release in the namespace {namespace}, which is gone"
            left.append(ErrorRecord(LeftBehind.default_code, stack, message, hint))
    return left
