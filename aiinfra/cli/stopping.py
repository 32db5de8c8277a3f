"""What is told when a command was stopped or not approved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiinfra.errors import Interrupted


@contextmanager
def interruption_told() -> Iterator[None]:
    """Turn a `KeyboardInterrupt` inside the block into `Interrupted`."""
    try:
        yield
    except KeyboardInterrupt as error:
        hint = "run the command again: it continues where it stopped"
        raise Interrupted("stopped before it was done", hint=hint) from error


def not_approved() -> Interrupted:
    """Return the error of an approval that was refused."""
    return Interrupted("not approved; nothing was touched", code="run.not_approved")
