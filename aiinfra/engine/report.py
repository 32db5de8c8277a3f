"""From the results of a run to its exit code."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.errors import ErrorRecord, Interrupted, LeftBehind, StepsFailed
from aiinfra.report.run import Outcome, StackResult


def exit_code(results: Sequence[StackResult], errors: Sequence[ErrorRecord], *, interrupted: bool) -> int:
    """Return 130 when interrupted, else 4 when a stack failed, 5 when something is left, and 0 on success."""
    if interrupted:
        return Interrupted.exit_code
    if any(result.outcome in (Outcome.FAILED, Outcome.BLOCKED, Outcome.INTERRUPTED) for result in results):
        return StepsFailed.exit_code
    if any(error.code == LeftBehind.default_code for error in errors):
        return LeftBehind.exit_code
    return StepsFailed.exit_code if errors else 0
