"""Beside an uninstall: Helm's hooks whose pods cannot run are told, and left out at a limit.

Helm waits for the Job of a hook, under `skipAwait` without any limit and deaf to a request to stop (pulumi-kubernetes
v4.32.0 provider/pkg/provider/helm_release.go Delete). It takes a Job that is deleted for done (helm/helm v3.20.2
pkg/kube/client.go watchUntilReady), so deleting the Job lets the uninstall go on without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domain_run import RunContext
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_object
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.domains.kubernetes.objects.losses import HOOK
from aiinfra.domains.kubernetes.reach import ClusterHandle, accesses, recorded_access
from aiinfra.domains.kubernetes.recorded import recorded
from aiinfra.engine.events import Waiting
from aiinfra.waiting import Pending, Stopped, Waiter

EVERY: Final = 2.0
"""Seconds between two looks."""
HEARTBEAT: Final = 30.0
"""Seconds after which the same is told again."""
EVENTS: Final = frozenset({"pre-delete", "post-delete"})
SURE: Final = 10
"""The part of the limit after which a cause that does not pass by itself ends the wait: a tenth."""


@contextmanager
def attend(run: RunContext, stack: str) -> Iterator[Sequence[str]]:
    """Watch the hooks of a stack's releases while it is destroyed; see `aiinfra.domain_run.AttendsDestroy`."""
    places = sorted({namespace for namespace, _ in recorded(run, stack).releases})
    watches = [HookWatch(run, stack, handle, places) for handle in _handles(run, stack)] if places else []
    left_out: list[str] = []
    done = threading.Event()
    threads = [threading.Thread(target=watch.run_until, args=(done,), daemon=True) for watch in watches]
    for thread in threads:
        thread.start()
    try:
        yield left_out
    finally:
        done.set()
        for thread in threads:
            thread.join(EVERY)
        left_out += [sentence for watch in watches for sentence in watch.left_out]


def _handles(run: RunContext, stack: str) -> Iterator[ClusterHandle]:
    """The clusters that a stack works in, also of one that only the state knows."""
    found = list(accesses(run, stack))
    known = run.journal.success(stack)
    if not found and known:
        found = [handle for name in known.needs if (handle := recorded_access(run, name))]
    yield from found


@dataclass(slots=True)
class HookWatch:
    """The hooks in some namespaces of one cluster."""

    run: RunContext
    stack: str
    cluster: ClusterHandle
    places: Sequence[str]
    left_out: list[str] = field(default_factory=list)
    _since: dict[str, float] = field(default_factory=dict)
    """By uid of a Job, when it was first seen unfinished."""
    _told: tuple[str, float] = ("", 0.0)

    def run_until(self, done: threading.Event) -> None:
        """Look every few seconds. What cannot be asked now is asked at the next look."""
        waiter = Waiter(float("inf"), every=EVERY, heartbeat=float("inf"), stop=done)
        with (
            suppress(Stopped, KubeError),
            KubeClient.from_kubeconfig(self.cluster.kubeconfig, timeout=EVERY * 2) as client,
        ):
            waiter.until(lambda: self._look(client))

    def _look(self, client: KubeClient) -> Pending:
        with suppress(KubeError):  # the destroy itself says when its cluster does not answer
            for place in self.places:
                for job in filter(unfinished_hook, client.list("batch/v1", "Job", place)):
                    self._judge(client, job)
        return Pending("the end of the destroy")

    def _judge(self, client: KubeClient, job: Object) -> None:
        now = time.monotonic()
        waited = now - self._since.setdefault(job["metadata"]["uid"], now)
        if waited < EVERY / 2:
            return
        found = diagnose_object(gather(client), ObjectRef.of(job))
        self._tell(" ← ".join((f"the chart's hook {ObjectRef.of(job)}", *found.causes)), waited)
        limit = self.run.sweep_seconds
        if is_hopeless(found, waited, limit) or (self.run.stop.is_set() and found.causes):
            client.delete(ObjectRef.of(job), uid=job["metadata"]["uid"])
            self.left_out.append(sentence(ObjectRef.of(job), found, waited))

    def _tell(self, what: str, waited: float) -> None:
        """Tell what is waited for when it is news, and again from time to time."""
        now = time.monotonic()
        if what != self._told[0] or now - self._told[1] >= HEARTBEAT:
            self._told = what, now
            self.run.emit(Waiting(self.stack, what, waited, None, self.run.now()))


def unfinished_hook(job: Object) -> bool:
    """Return whether a Job is a hook of an uninstall that has neither completed nor failed."""
    metadata = job["metadata"]
    events = str((metadata.get("annotations") or {}).get(HOOK, "")).split(",")
    conditions = (job.get("status") or {}).get("conditions") or ()
    ended = any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)
    return not EVENTS.isdisjoint(event.strip() for event in events) and not (ended or metadata.get("deletionTimestamp"))


def is_hopeless(found: Diagnosis, waited: float, limit: float) -> bool:
    """Return whether to wait no longer: at the limit, or a tenth of it when its pod is broken by itself."""
    return waited >= limit or (found.weight is Weight.BROKEN and bool(found.causes) and waited >= limit / SURE)


def sentence(job: ObjectRef, found: Diagnosis, waited: float) -> str:
    """Return what was left out, why, and what to do about it."""
    why = " ← ".join(found.causes) or "its pod did not end"
    hint = f" ({found.hint}, if you need what it does)" if found.hint else " (do by hand what it does, if you need it)"
    return f"the chart's hook {job}, which did not run in {waited:.0f} s ← {why}{hint}"
