"""Waiting for a cluster with an eye on why it takes so long: the root is told while we wait, and hopeless waits end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Unreachable
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_wants
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.domains.kubernetes.objects.awaiting import NotReady, WantsPoll
from aiinfra.domains.kubernetes.objects.wants import Want
from aiinfra.domains.kubernetes.provider.blame import SHOWN, not_ready
from aiinfra.waiting import Pending, TimedOut, Waiter

LOOK_EVERY = 10.0
"""Seconds between two looks at the whole cluster."""


@dataclass(slots=True)
class Looking:
    """A question for `Waiter.until` that adds what stands behind it, looked for now and then; the wait goes on."""

    ask: Callable[[], bool | Pending]
    look: Callable[[], Diagnosis]
    seen: Diagnosis = field(default_factory=Diagnosis)
    looked: float = field(default_factory=time.monotonic)

    def __call__(self) -> bool | Pending:
        answer = self.ask()
        if isinstance(answer, Pending) and time.monotonic() - self.looked >= LOOK_EVERY / 2:
            self.seen, self.looked = self.look(), time.monotonic()
        return Pending(" ← ".join((answer.what, *self.seen.causes))) if isinstance(answer, Pending) else answer


@dataclass(slots=True)
class _Watching:
    """Asks as `Asking` does. The same root, seen for `patience` seconds and broken now, ends the wait."""

    asking: WantsPoll
    client: KubeClient
    patience: float
    seen: Diagnosis = field(default_factory=Diagnosis)
    since: float = 0.0
    looked: float = field(default_factory=time.monotonic)

    def __call__(self) -> bool | Pending:
        answer = self.asking()
        if not isinstance(answer, Pending):
            return answer
        now = time.monotonic()
        if now - self.looked >= min(LOOK_EVERY, self.patience / 2):
            self.looked = now
            self._note(self._look(), now)
        if self.seen.weight == Weight.BROKEN and now - self.since >= self.patience:
            raise TimedOut(answer.what)
        sentences_of = self.seen.causes and not self.asking.refused
        return Pending(" ← ".join((self._gist() or answer.what, *self.seen.causes))) if sentences_of else answer

    def _gist(self) -> str:
        """What lacks, without the reasons that the objects give: the root says it better."""
        return "; ".join(f"{seen.about}: {seen.seen}" for _, seen in self.asking.lacking[:SHOWN])

    def _look(self) -> Diagnosis:
        if self.asking.refused:
            return Diagnosis([self.asking.refused.record.message], weight=Weight.BROKEN)
        try:
            return diagnose_wants(gather(self.client), [want for want, _ in self.asking.lacking])
        except Unreachable as error:
            return Diagnosis([error.record.message], weight=Weight.BROKEN)

    def _note(self, found: Diagnosis, now: float) -> None:
        if found.causes != self.seen.causes:
            self.since = now
        self.seen = found


def await_wants(client: KubeClient, wants: Sequence[Want], waiter: Waiter, patience: float) -> list[str]:
    """One sentence for each want, as it was seen to hold. Raises `StepError` with the root, `Stopped`, `KubeError`."""
    asking, started = WantsPoll(client, list(wants)), time.monotonic()
    try:
        waiter.until(_Watching(asking, client, patience))
    except TimedOut as error:
        waited = time.monotonic() - started
        raise not_ready(client, NotReady(asking.unmet(), asking.refused), f"after {waited:.0f} s") from error
    return asking.sentences_of(wants)
