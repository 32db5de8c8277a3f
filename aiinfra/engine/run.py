"""Run the stacks of a queue on threads, and stop on request.

The queue decides what may run; `work` does it and returns a result. This module owns the threads and nothing else: it
depends neither on Pulumi nor on what an `up` is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

from aiinfra.dataclass import dataclass
from aiinfra.engine.events import OnEvent, StackEnded, StackStarted, StackWaits
from aiinfra.engine.queue import Queue
from aiinfra.report.run import Outcome, Reason, StackResult

Work = Callable[[str], StackResult]
SUCCEEDED = frozenset({Outcome.CHANGED, Outcome.UNCHANGED, Outcome.DESTROYED, Outcome.FORGOTTEN, Outcome.SKIPPED})


@dataclass(slots=True)
class StackExecutor:
    """Runs each stack of a queue once. `kinds` gives each stack's kind, for its events."""

    queue: Queue
    kinds: Mapping[str, str]
    work: Work
    parallel: int
    on_event: OnEvent
    now: Callable[[], datetime]

    def run(self, stop: threading.Event) -> list[StackResult]:
        """Run all stacks and return their results; once `stop` is set, running ones finish and no other starts."""
        results: dict[str, StackResult] = {}
        changed = threading.Condition()
        for name in self.kinds:
            if waits := self.queue.waits_for(name):
                self.on_event(StackWaits(name, waits, self.now()))

        def one(name: str) -> None:
            result = self.work(name)
            with changed:
                self._settle(result, results)
                changed.notify_all()

        with ThreadPoolExecutor(max_workers=max(1, self.parallel), thread_name_prefix="stack") as pool, changed:
            started: list[Future[None]] = []
            while not self.queue.finished:
                if stop.is_set():
                    self._skip_remaining(results)
                started = [*_unfinished(started), *self._start_ready(pool, one)]
                if not self.queue.finished:
                    changed.wait(timeout=0.5)
        return [results[name] for name in self.kinds if name in results]

    def _start_ready(self, pool: ThreadPoolExecutor, one: Callable[[str], None]) -> Iterator[Future[None]]:
        for name in self.queue.ready()[: max(0, self.parallel - len(self.queue.running))]:
            self.queue.claim(name)
            self.on_event(StackStarted(name, self.kinds[name], self.now()))
            yield pool.submit(one, name)

    def _settle(self, result: StackResult, results: dict[str, StackResult]) -> None:
        self._end(result, results)
        if result.outcome in SUCCEEDED:
            self.queue.done(result.stack)
            return
        for other in self.queue.fail(result.stack):
            blocked = StackResult(
                other,
                self.kinds[other],
                Outcome.BLOCKED,
                reason=Reason.NEEDED_FAILED,
                related=result.stack,
                related_outcome=result.outcome,
            )
            self._end(blocked, results)

    def _skip_remaining(self, results: dict[str, StackResult]) -> None:
        for name in self.queue.drain():
            self._end(StackResult(name, self.kinds[name], Outcome.SKIPPED, reason=Reason.NOT_STARTED), results)

    def _end(self, result: StackResult, results: dict[str, StackResult]) -> None:
        results[result.stack] = result
        self.on_event(StackEnded(result, self.now()))


def _unfinished(started: Sequence[Future[None]]) -> Iterator[Future[None]]:
    """Yield the futures that are not done; one that raised an exception ends the run with it."""
    for future in started:
        if future.done():
            future.result()
        else:
            yield future
