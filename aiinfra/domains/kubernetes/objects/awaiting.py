"""Ask a cluster which wants hold, until all do.

A ClusterPolicy holds when its status says so and its operands follow from its spec. Where the spec has changed since
the last wait, its operator must have answered besides: it was seen to be not ready, or has had `settle` seconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.objects.operands import lagging, owned_by, upgrades_drivers, upgrading
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
        case ObjectWant(rule=ClusterPolicyReady()):
            return _policy_verdict(client, want)
        case ObjectWant():
            return want.judge(client.get(want.ref))
        case NodesWant() | AllocatableWant():
            return want.judge(client.list("v1", "Node"))


def _policy_verdict(client: KubeClient, want: ObjectWant) -> Verdict:
    """Judge the status of a ClusterPolicy; one that is ready also by the operands that exist and their pods."""
    policy = client.get(want.ref)
    said = want.judge(policy)
    if policy is None or not said.holds:
        return said
    daemonsets = client.list("apps/v1", "DaemonSet", (policy.get("status") or {}).get("namespace"))
    found = lagging(policy, owned_by(policy, daemonsets))
    if not found and upgrades_drivers(policy):
        found = upgrading(client.list("v1", "Node"))
    if not found:
        return said
    more = [f"and {len(found) - MAX_NAMED} more"] if len(found) > MAX_NAMED else []
    why = "; ".join((*found[:MAX_NAMED], *more))
    return Verdict(False, said.about, "ready by its status, not by its operands", "is", why)


def _is_policy(want: Want) -> bool:
    return isinstance(want, ObjectWant) and isinstance(want.rule, ClusterPolicyReady)


def generations(client: KubeClient, wants: Sequence[Want]) -> dict[str, str]:
    """Return by object of the wants which spec it has now, as `uid/generation`. Raises `KubeError`.

    Nothing is asked without a ClusterPolicy among them: the answer to other changes shows in the objects themselves.
    """
    if not any(map(_is_policy, wants)):
        return {}
    refs = dict.fromkeys(want.ref for want in wants if isinstance(want, ObjectWant))
    found = ((ref, client.get(ref)) for ref in refs)
    metadata = {str(ref): obj["metadata"] for ref, obj in found if obj is not None}
    return {ref: f"{m['uid']}/{m['generation']}" for ref, m in metadata.items() if "generation" in m}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a spec is another than `before`, both by `generations`; one that never changed is new, not changed."""
    return any(before.get(ref) != spec and not spec.endswith("/1") for ref, spec in now.items())


@dataclass(slots=True)
class WantsPoll:
    """A poll of wants, as `Waiter.until` takes it.

    Wants that held are not asked again; those whose state is known to flicker must hold twice.
    """

    client: KubeClient
    open: list[Want]
    settle: float = 0.0
    """Seconds that a ClusterPolicy must be ready on end whose operator has not been seen to answer; 0 when its spec
    has not changed."""
    facts: dict[Want, str] = field(default_factory=dict)
    lacking: list[tuple[Want, Verdict]] = field(default_factory=list)
    refused: KubeError | None = None
    _since: dict[Want, float] = field(default_factory=dict)
    """When each want that may flicker was first seen to hold; monotonic."""
    _answered: set[Want] = field(default_factory=set)

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
        for want, seen in verdicts:
            self._note(want, seen)
        self.open = [want for want, seen in verdicts if not (seen.holds and self._settled(want))]
        return Pending(self._progress()) if self.open else True

    def unmet(self) -> list[tuple[Want, Verdict]]:
        """Return the wants that do not hold, each with its last verdict."""
        flickering = [(want, Verdict(False, "what is ready", "been seen only once")) for want in self.open]
        return self.lacking or flickering

    def sentences_of(self, wants: Sequence[Want]) -> list[str]:
        """Return the sentence of each want that held."""
        return [self.facts[want] for want in wants]

    def _note(self, want: Want, seen: Verdict) -> None:
        if not seen.holds:
            self._since.pop(want, None)
        if seen.answered:
            self._answered.add(want)

    def _settled(self, want: Want) -> bool:
        if not _is_policy(want):
            return True
        if want not in self._since:
            self._since[want] = time.monotonic()
            return False
        return want in self._answered or time.monotonic() - self._since[want] >= self.settle

    def _progress(self) -> str:
        lacking = [seen.progress for _, seen in self.lacking] or [self._second_look()]
        return "; ".join(lacking[:MAX_NAMED]) + (
            f"; and {len(lacking) - MAX_NAMED} more" if len(lacking) > MAX_NAMED else ""
        )

    def _second_look(self) -> str:
        if not self.settle or self._answered:
            return "a second look, as what is ready now may flicker"
        return f"an answer to the change: what is ready now may be of before, until it was so for {self.settle:g} s"
