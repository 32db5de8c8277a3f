"""Ask a cluster how wants stand, until all hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.objects.wants import (
    AllocatableWant,
    ClusterPolicyReady,
    NodesWant,
    ObjectWant,
    Verdict,
    Want,
)
from aiinfra.waiting import Pending

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
            return want.judge(client.list("v1", "Node"))


@dataclass(slots=True)
class Asking:
    """A question for `Waiter.until`.

    Wants that held are not asked again; those whose state is known to flicker must hold twice.
    """

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
            return Pending(f"an answer: {error.record.message}")
        self.facts |= {want: seen.says for want, seen in verdicts if seen.holds}
        self.lacking = [(want, seen) for want, seen in verdicts if not seen.holds]
        self.open = [want for want, seen in verdicts if not (seen.holds and self._settled(want))]
        return Pending(self._says()) if self.open else True

    def unmet(self) -> list[tuple[Want, Verdict]]:
        """What does not hold, with what was seen last."""
        flickering = [(want, Verdict(False, "what is ready", "been seen only once")) for want in self.open]
        return self.lacking or flickering

    def told(self, wants: Sequence[Want]) -> list[str]:
        """One sentence for each want that held."""
        return [self.facts[want] for want in wants]

    def _settled(self, want: Want) -> bool:
        if isinstance(want, ObjectWant) and isinstance(want.rule, ClusterPolicyReady) and want not in self._once:
            self._once.add(want)
            return False
        return True

    def _says(self) -> str:
        told = [seen.awaited for _, seen in self.lacking] or ["a second look, as what is ready now may flicker"]
        return "; ".join(told[:NAMED]) + (f"; and {len(told) - NAMED} more" if len(told) > NAMED else "")
