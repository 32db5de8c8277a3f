"""Ask a cluster how wants stand, until all hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiinfra.kube.client import KubeClient
from aiinfra.kube.errors import KubeError
from aiinfra.kube.wants import AllocatableWant, ClusterPolicyReady, NodesWant, ObjectWant, Verdict, Want
from aiinfra.waiting import Pending, TimedOut, Waiter

NAMED = 3


class NotReady(Exception):
    """The limit passed; `lacking` are the wants that did not hold, each with what was seen last."""

    def __init__(self, lacking: Sequence[tuple[Want, Verdict]], refused: KubeError | None = None) -> None:
        super().__init__("; ".join(verdict.says for _, verdict in lacking))
        self.lacking = tuple(lacking)
        self.refused = refused
        """The last refusal, when the cluster could not even be asked."""


def verdict(client: KubeClient, want: Want) -> Verdict:
    match want:
        case ObjectWant():
            return want.judge(client.get(want.ref))
        case NodesWant() | AllocatableWant():
            return want.judge(client.list("v1", "Node", labels=want.label))


@dataclass(slots=True)
class _Asking:
    """Wants that held are not asked again, except those whose state is known to flicker: they must hold twice."""

    client: KubeClient
    open: list[Want]
    facts: dict[Want, str] = field(default_factory=dict)
    lacking: list[tuple[Want, Verdict]] = field(default_factory=list)
    refused: KubeError | None = None
    _once: set[Want] = field(default_factory=set)

    def __call__(self) -> bool | Pending:
        self.refused = None
        try:
            verdicts = [(want, verdict(self.client, want)) for want in self.open]
        except KubeError as error:
            if not error.record.transient:
                raise
            self.refused = error
            return Pending(error.record.message)
        self.facts |= {want: seen.says for want, seen in verdicts if seen.holds}
        self.lacking = [(want, seen) for want, seen in verdicts if not seen.holds]
        self.open = [want for want, seen in verdicts if not (seen.holds and self._settled(want))]
        return Pending(self._says()) if self.open else True

    def _settled(self, want: Want) -> bool:
        if isinstance(want, ObjectWant) and isinstance(want.rule, ClusterPolicyReady) and want not in self._once:
            self._once.add(want)
            return False
        return True

    def _says(self) -> str:
        told = [seen.says for _, seen in self.lacking] or [f"{self.facts[want]}, seen once" for want in self.open]
        return "; ".join(told[:NAMED]) + (f"; and {len(told) - NAMED} more" if len(told) > NAMED else "")


def until_ready(client: KubeClient, wants: Sequence[Want], waiter: Waiter) -> list[str]:
    """One sentence for each want, as it was seen to hold. Raises `NotReady`, `Stopped`, `KubeError`."""
    asking = _Asking(client, list(wants))
    try:
        waiter.until(asking)
    except TimedOut as error:
        lacking = asking.lacking or [(want, Verdict(False, error.last)) for want in asking.open]
        raise NotReady(lacking, asking.refused) from error
    return [asking.facts[want] for want in wants]
