"""Many questions to one vCenter at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from aiinfra.domains.vsphere.client.connections import stopping_with
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.waiting import Stopped

T = TypeVar("T")
R = TypeVar("R")
IN_FLIGHT: Final = 12
"""Requests at one time."""


class Questions:
    """Asks each question in a thread of its own, `IN_FLIGHT` at a time. None begins after a stop."""

    def __init__(self, vcenter: VCenter, pool: ThreadPoolExecutor) -> None:
        self._vcenter, self._pool = vcenter, pool

    def ask(self, question: Callable[[], R]) -> Future[R]:
        return self._pool.submit(self._unless_stopped, question)

    def each(self, question: Callable[[T], R], items: Sequence[T]) -> list[Future[R]]:
        return [self._pool.submit(self._unless_stopped, lambda item=item: question(item)) for item in items]

    def _unless_stopped(self, question: Callable[[], R]) -> R:
        if self._vcenter.stop.is_set():
            raise Stopped(f"reading {self._vcenter.access}")
        with stopping_with(self._vcenter.stop):
            return question()


@contextmanager
def asking_at_once(vcenter: VCenter) -> Iterator[Questions]:
    """Ask many questions in threads; once the block ends with an error, those that have not begun are not asked."""
    pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="vcenter")
    try:
        yield Questions(vcenter, pool)
    finally:
        pool.shutdown(cancel_futures=True)
