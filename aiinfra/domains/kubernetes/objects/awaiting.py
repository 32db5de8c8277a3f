"""Ask a cluster which wants hold, until all do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from aiinfra.dataclass import dataclass
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

MAX_NAMED = 3


class NotReady(Exception):
    """Wants did not hold within the limit; `lacking` holds each with its last verdict."""

    def __init__(self, lacking: Sequence[tuple[Want, Verdict]], refused: KubeError | None = None) -> None:
        super().__init__("; ".join(verdict.sentence for _, verdict in lacking))
        self.lacking = tuple(lacking)
        self.refused = refused
        """The last refusal, when the cluster could not be asked."""


def verdict(client: KubeClient, want: Want) -> Verdict:
    """Return whether the want holds in the cluster now. Raises `KubeError`."""
    match want:
        case ObjectWant():
            return want.judge(client.get(want.ref))
        case NodesWant() | AllocatableWant():
            return want.judge(client.list("v1", "Node"))


@dataclass(slots=True)
class WantsPoll:
    """A poll of wants, as `Waiter.until` takes it.

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
        self.facts |= {want: seen.sentence for want, seen in verdicts if seen.holds}
        self.lacking = [(want, seen) for want, seen in verdicts if not seen.holds]
        self.open = [want for want, seen in verdicts if not (seen.holds and self._settled(want))]
        return Pending(self._progress()) if self.open else True

    def unmet(self) -> list[tuple[Want, Verdict]]:
        """Return the wants that do not hold, each with its last verdict."""
        flickering = [(want, Verdict(False, "what is ready", "been seen only once")) for want in self.open]
        return self.lacking or flickering

    def sentences_of(self, wants: Sequence[Want]) -> list[str]:
        """Return the sentence of each want that held."""
        return [self.facts[want] for want in wants]

    def _settled(self, want: Want) -> bool:
        if isinstance(want, ObjectWant) and isinstance(want.rule, ClusterPolicyReady) and want not in self._once:
            self._once.add(want)
            return False
        return True

    def _progress(self) -> str:
        lacking = [seen.progress for _, seen in self.lacking] or ["a second look, as what is ready now may flicker"]
        return "; ".join(lacking[:MAX_NAMED]) + (
            f"; and {len(lacking) - MAX_NAMED} more" if len(lacking) > MAX_NAMED else ""
        )
