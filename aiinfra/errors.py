"""What can go wrong, in families, and what the user reads about it.

    AiinfraError                 exit 1 (a bug) unless a family says otherwise
     ├ ConfigError               exit 2  the file or the flags are wrong; nothing was touched
     ├ OutsideError              exit 3  something outside refused or was missing, before any step started
     ├ StepError                 one step failed; never reaches the command line by itself
     ├ StepsFailed               exit 4  some stacks failed
     ├ LeftBehind                exit 5  destroy succeeded and something is left
     └ Interrupted               exit 130

A vendor's exception stops at its adapter and leaves it as one of these, chained with `from`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import ClassVar

from aiinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One failure as every sink shows it: the same record in text and in JSON."""

    code: str
    """Dotted and stable, listed in `catalog.error_codes`: `kube.unreachable`."""
    where: str
    """What it is about: a stack, an object, `file:line:col: path`."""
    message: str
    """One sentence, no secret, no trailing full stop."""
    hint: str = ""
    """One sentence that says how to go on; may be empty."""
    transient: bool = False
    """True when trying again without a change may succeed."""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in a file, a variable or a flag: where it is, what is wrong, a hint."""

    where: str
    """`file:line:col` as the user wrote it, or `--set` or a variable's name."""
    path: str
    """Dotted path in the document: `stacks.nfd.cluster`; empty for the document itself."""
    message: str
    hint: str = ""
    code: str = "config.invalid"

    def __str__(self) -> str:
        parts = [part for part in (self.where, self.path, self.message) if part]
        return ": ".join(parts) + (f" ({self.hint})" if self.hint else "")

    def record(self) -> ErrorRecord:
        return ErrorRecord(self.code, ": ".join(p for p in (self.where, self.path) if p), self.message, self.hint)


class AiinfraError(Exception):
    """Base of all errors we raise on purpose; anything else that reaches the user is a bug."""

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "bug"

    def __init__(
        self, message: str, *, code: str = "", where: str = "", hint: str = "", transient: bool = False
    ) -> None:
        super().__init__(message)
        self.record = ErrorRecord(code or self.default_code, where, message, hint, transient)

    def records(self) -> Sequence[ErrorRecord]:
        return (self.record,)


class ConfigError(AiinfraError):
    """The file or the flags are wrong. Carries every problem found, not the first one."""

    exit_code = 2
    default_code = "config.invalid"

    def __init__(
        self, message: str = "", *, problems: Sequence[Problem] = (), code: str = "", where: str = "", hint: str = ""
    ) -> None:
        super().__init__(message or "\n".join(map(str, problems)), code=code, where=where, hint=hint)
        self.problems = tuple(problems)

    def records(self) -> Sequence[ErrorRecord]:
        return tuple(problem.record() for problem in self.problems) or (self.record,)


class OutsideError(AiinfraError):
    """Something outside refused or was missing, before any step started."""

    exit_code = 3
    default_code = "outside.refused"


class StepError(AiinfraError):
    """One step failed. `causes` goes from the leaf (what was waited for) to the root."""

    exit_code = 4
    default_code = "step.failed"

    def __init__(
        self,
        message: str,
        *,
        causes: Sequence[str] = (),
        code: str = "",
        where: str = "",
        hint: str = "",
        transient: bool = False,
    ) -> None:
        super().__init__(message, code=code, where=where, hint=hint, transient=transient)
        self.causes = tuple(causes)


class StepsFailed(AiinfraError):
    """Some stacks failed; the report says which and why."""

    exit_code = 4
    default_code = "run.steps_failed"


class LeftBehind(AiinfraError):
    """Destroy ran to its end and something is left in the world."""

    exit_code = 5
    default_code = "destroy.left_behind"


class Interrupted(AiinfraError):
    """The user asked to stop."""

    exit_code = 130
    default_code = "run.interrupted"
