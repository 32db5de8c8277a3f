"""Wait for a cluster and diagnose it meanwhile: root causes are reported, and waits that cannot succeed end early."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Unreachable
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_wants
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.domains.kubernetes.objects.awaiting import NotReady, WantsPoll
from aiinfra.domains.kubernetes.objects.wants import Want
from aiinfra.domains.kubernetes.provider.step_errors import MAX_SHOWN, not_ready_error
from aiinfra.waiting import Pending, TimedOut, Waiter

LOOK_EVERY = 10.0
"""Seconds between two diagnoses of the whole cluster."""

ANSWER = 60.0
"""Seconds in which an operator has answered a change. Measured with NVIDIA's GPU Operator v26.7.0: 19 s after its pod
was replaced, 16 s of which it waited for the lease of the old one; its walk through all states takes a few more."""
ANSWER_SHARE = 0.2
"""The same as a share of the patience, which is shorter where time runs faster, as in a lab."""


@dataclass(slots=True)
class DiagnosedPoll:
    """A poll for `Waiter.until` that adds the causes of the delay, diagnosed every few seconds; the wait goes on."""

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
class _DiagnosedWants:
    """Polls wants. The same root cause, seen for `patience` seconds and broken now, ends the wait."""

    poll: WantsPoll
    client: KubeClient
    patience: float
    seen: Diagnosis = field(default_factory=Diagnosis)
    since: float = 0.0
    looked: float = field(default_factory=time.monotonic)

    def __call__(self) -> bool | Pending:
        answer = self.poll()
        if not isinstance(answer, Pending):
            return answer
        now = time.monotonic()
        if not (self.poll.lacking or self.poll.refused):
            self.seen = Diagnosis()
            return answer
        if now - self.looked >= min(LOOK_EVERY, self.patience / 2):
            self.looked = now
            self._note(self._look(), now)
        if self.seen.weight == Weight.BROKEN and now - self.since >= self.patience:
            raise TimedOut(answer.what)
        explained = self.seen.causes and not self.poll.refused
        return Pending(" ← ".join((self._summary() or answer.what, *self.seen.causes))) if explained else answer

    def _summary(self) -> str:
        """Return what is lacking without the objects' own reasons, as the root cause is more precise."""
        return "; ".join(f"{seen.about}: {seen.seen}" for _, seen in self.poll.lacking[:MAX_SHOWN])

    def _look(self) -> Diagnosis:
        if self.poll.refused:
            return Diagnosis([self.poll.refused.record.message], weight=Weight.BROKEN)
        try:
            return diagnose_wants(gather(self.client), [want for want, _ in self.poll.lacking])
        except Unreachable as error:
            return Diagnosis([error.record.message], weight=Weight.BROKEN)

    def _note(self, found: Diagnosis, now: float) -> None:
        if found.causes != self.seen.causes:
            self.since = now
        self.seen = found


def await_wants(
    client: KubeClient,
    wants: Sequence[Want],
    waiter: Waiter,
    patience: float,
    *,
    changed: bool = False,
    limit: str = "",
) -> list[str]:
    """Return one sentence for each want. Raises `StepError` with the root cause, `Stopped` and `KubeError`.

    With `changed`, what is ready must answer a spec that is new since the last wait. `limit` says in errors where the
    waiter's limit comes from.
    """
    settle = min(ANSWER, patience * ANSWER_SHARE) if changed else 0.0
    poll, started = WantsPoll(client, list(wants), settle), time.monotonic()
    try:
        waiter.until(_DiagnosedWants(poll, client, patience))
    except TimedOut as error:
        waited = time.monotonic() - started
        whole = f", the whole limit: {limit}" if limit and waited >= waiter.limit else ""
        raise not_ready_error(client, NotReady(poll.unmet(), poll.refused), f"after {waited:.0f} s{whole}") from error
    return poll.sentences_of(wants)
