"""The two standard streams of one command, and how its answer or its failure is written to them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, cast

from aiinfra.cli.form import Form
from aiinfra.dataclass import dataclass
from aiinfra.errors import AiinfraError, ConfigError, ErrorRecord, StepError
from aiinfra.ui.envelope import last_event, result
from aiinfra.ui.masking import Masker
from aiinfra.ui.output import Output
from aiinfra.world import World

if TYPE_CHECKING:
    import typer

    from aiinfra.ui.terminal import Terminal


@dataclass(slots=True)
class Console:
    """Built once by `run`; a command gets it by `of(ctx)`."""

    world: World
    form: Form
    """What failures are reported in; commands set it once their options are read."""
    command: str = ""
    out: Output = field(default_factory=lambda: Output(sys.stdout))
    err: Output = field(default_factory=lambda: Output(sys.stderr))
    _hidden: set[str] = field(default_factory=set, repr=False)

    @classmethod
    def of(cls, ctx: typer.Context) -> Console:
        return cast("Console", ctx.obj)

    def terminal(self) -> Terminal:
        from aiinfra.ui.terminal import Terminal

        return Terminal.of(self.world)

    def hide(self, secrets: Iterable[str]) -> None:
        """From now on these values, and those hidden before, appear nowhere."""
        self._hidden.update(secrets)
        self.out.masker = self.err.masker = Masker(self._hidden)

    def answer(self, form: str, text: Callable[[], str], payload: Callable[[], Mapping[str, object]]) -> None:
        """The result of a command that succeeded, in the form asked for."""
        self.conclude(form, 0, (), text, payload)

    def conclude(
        self,
        form: str,
        exit_code: int,
        errors: Sequence[ErrorRecord],
        text: Callable[[], str],
        payload: Callable[[], Mapping[str, object]],
    ) -> None:
        """The result of a command that ran to its end, well or not."""
        if form == Form.TEXT:
            self.out.line(text())
        else:
            self.machine(result(self.command, exit_code, errors, payload()))

    def fail(self, error: AiinfraError) -> int:
        """Report a failure and return its exit code. It is reported as text too when standard output is lost."""
        if self.form is not Form.TEXT:
            self.machine(result(self.command, error.exit_code, error.records()))
        if self.form is Form.TEXT or self.out.lost:
            self.err.line(self._failure(error))
        return error.exit_code

    def machine(self, document: Mapping[str, object]) -> None:
        """The one JSON document, or the last line of the stream."""
        if self.form is Form.NDJSON:
            self.out.json(last_event(document))
        else:
            self.out.json(document, indent=2)

    def _failure(self, error: AiinfraError) -> str:
        from aiinfra.ui.errors import failure_text, problems_text
        from aiinfra.ui.terminal import Terminal

        terminal = Terminal.of(self.world, sys.stderr)
        if isinstance(error, ConfigError) and error.problems:
            return problems_text(error.problems, terminal)
        causes = error.causes if isinstance(error, StepError) else ()
        return "\n".join(
            failure_text(record, terminal, exit_code=error.exit_code, causes=causes) for record in error.records()
        )
