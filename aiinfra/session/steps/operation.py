"""What the steps of all verbs share: the journal, the duration and the changes of an operation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from aiinfra.errors import AiinfraError
from aiinfra.report.run import Failure, Outcome, StackResult, Verb
from aiinfra.session.run import Run
from aiinfra.session.steps.failure import failure

if TYPE_CHECKING:
    from aiinfra.engine.host_records import OperationResult

UNCHANGING = frozenset({"same", "read", "refresh"})
"""Operations that change nothing in the world."""


def changes_in(done: OperationResult) -> Mapping[str, int]:
    """Return the number of resources by operation, without unchanged ones."""
    return {operation: count for operation, count in done.changes.items() if operation not in UNCHANGING}


@contextmanager
def journaled(run: Run, verb: Verb, stack: str) -> Iterator[None]:
    """Record an operation: the last success is forgotten before it, and a note says that it runs."""
    run.journal.begin(stack, verb.value, run.now())
    started = time.monotonic()
    yield
    run.journal.record_duration(verb.value, stack, time.monotonic() - started)
    run.journal.end(stack)


def timed(run: Run, kind: str, stack: str, act: Callable[[], StackResult]) -> StackResult:
    """Return the result of `act` with its duration; an error becomes a failed result if an engine ever ran."""
    started = time.monotonic()
    try:
        result = act()
    except AiinfraError as error:
        if run.runner.absent:
            raise
        result = failure(run, kind, stack, error)
    return replace(result, seconds=time.monotonic() - started)


def record_failure(run: Run, verb: Verb, result: StackResult) -> StackResult:
    """Return the result, having recorded a failure for `aiinfra why` unless its place is gone."""
    if result.error is not None and run.place.gone() is None:
        note = Failure(verb.value, run.now(), result.seconds, result.error, tuple(result.causes))
        with suppress(AiinfraError):  # the run reports its failure itself, whether or not it can be kept
            run.journal.record_failure(result.stack, note)
    if result.outcome is Outcome.INTERRUPTED and run.place.gone() is None:
        with suppress(AiinfraError):  # as above
            run.journal.interrupt(result.stack)
    return result
