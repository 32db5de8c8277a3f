"""What the commands that act share: a session that is watched, approval, and the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from aiinfra.cli.console import Console
from aiinfra.cli.form import EventsForm, Form, OutputForm, output_form
from aiinfra.cli.stopping import not_approved
from aiinfra.dataclass import dataclass
from aiinfra.errors import ConfigError
from aiinfra.report.run import RunReport
from aiinfra.ui.ndjson import report_json
from aiinfra.ui.terminal import Terminal
from aiinfra.ui.views import Display, PlainDisplay, StreamDisplay, View

if TYPE_CHECKING:
    import typer

    from aiinfra.plan.certainty import CriticalPath
    from aiinfra.report.rehearsal import Rehearsal
    from aiinfra.report.run import Dependent
    from aiinfra.session.options import Tools
    from aiinfra.session.session import Session


_LOOK: Final = {"up": "aiinfra preview {} shows what would change", "destroy": "aiinfra status {} shows what is up"}


@dataclass(slots=True)
class Watch:
    """One run and those who watch it."""

    console: Console
    summaries: Sequence[Path]
    view: View

    @classmethod
    def of(
        cls, ctx: typer.Context, output: OutputForm, events: EventsForm | None, summaries: Sequence[Path] = ()
    ) -> Watch:
        """Return the watch of a command. Raises `ConfigError` for options that do not go together."""
        console = Console.of(ctx)
        console.form = output_form(output, events)
        if summaries:
            from aiinfra.ui import summary

            summary.check_suffixes(summaries)
        return cls(console, summaries, View(_display(console), console.world.now))

    def session(
        self,
        env: str,
        sets: Sequence[str],
        tools: Tools,
        target: Literal["lab"] | None = None,
        *,
        real_operators: bool = False,
    ) -> Session:
        from aiinfra.session.session import Session

        return Session.open(
            self.console.world,
            env,
            sets=sets,
            target=target,
            real_operators=real_operators,
            tools=tools,
            on_event=self.view,
            on_secrets=self.console.hide,
        )

    def approve(self, verb: str, session: Session, *, yes: bool, forget: Sequence[str] = ()) -> None:
        """Show what will be done and ask. Raises `ConfigError` when nobody can be asked, `Interrupted` on a no.

        An `up` in a lab is not asked about: it changes nothing outside the lab's folder.
        """
        if yes or (verb == "up" and session.plan.environment.target == "lab"):
            return
        if not self.console.world.interactive or self.console.form is not Form.TEXT:
            raise ConfigError(
                f"{verb} changes the world and there is no terminal to ask on",
                code="cli.approval_needed",
                hint=f"{_LOOK[verb].format(session.plan.environment.name)}, then add --yes",
            )
        from aiinfra.session.inspection.record import read_record
        from aiinfra.ui.plan import plan_text

        history = read_record(self.console.world, session.plan, session.loaded.path)
        self.console.out.line(plan_text(session.plan, self.console.terminal(), history))
        unasked = f", and forget unasked what is in {', '.join(forget)}" if forget else ""
        if not _confirmed(f"{verb} {session.plan.environment.name}{unasked}?"):
            raise not_approved()

    def agrees(self, dependents: Sequence[Dependent]) -> bool:
        """Show what of others a destroy would take along, and ask. Raises `Interrupted` on a no.

        It follows `approve`, which has made sure that there is somebody to ask.
        """
        from aiinfra.report.run import by_loss
        from aiinfra.ui.report import NAMED

        self.console.out.line("Others made or run this, and would lose by it:")
        for stack, names, loss in by_loss(dependents, NAMED):
            self.console.out.line(f"  {stack}: {names} would be {loss}")
        if not _confirmed("Let it go along?"):
            raise not_approved()
        return True

    def run(self, act: Callable[[], RunReport], path: CriticalPath | None = None) -> int:
        """Run, show the end in every sink, and return the run's exit code. `path`: what an `up` would take."""
        with self.view:
            report = act()
        if self.summaries:
            from aiinfra.ui import summary

            summary.write(self.summaries, report, self.console.out.masker)
        if self.console.form is not Form.TEXT:
            self.console.machine({**report_json(report), **(path.as_json() if path else {})})
        elif path:
            from aiinfra.ui.plan import path_text

            self.console.out.line(path_text(path))
        return report.exit_code

    def rehearse(self, act: Callable[[], Rehearsal]) -> int:
        """The same for a rehearsal, which is several runs and one verdict."""
        from aiinfra.ui import rehearsal as r
        from aiinfra.ui import rehearsal_summary

        with self.view:
            found = act()
        text, code = r.rehearsal_text, r.exit_code(found)
        rehearsal_summary.write(self.summaries, found, self.console.out.masker)
        form = self.console.form
        self.console.conclude(
            form, code, r.errors(found), lambda: text(found, self.console.terminal()), lambda: r.rehearsal_json(found)
        )
        return code


def _confirmed(question: str) -> bool:
    """Ask yes or no on the terminal. Raises `Interrupted` when there is no answer."""
    import typer

    try:
        return typer.confirm(question)
    except typer.Abort as error:
        raise not_approved() from error


def _display(console: Console) -> Display:
    if console.form is Form.NDJSON:
        return StreamDisplay(console.out)
    if console.form is Form.JSON:
        return PlainDisplay(console.err, Terminal(), report=False)
    terminal = console.terminal()
    if not terminal.live:
        return PlainDisplay(console.out, terminal)
    from aiinfra.ui.screen import LiveDisplay

    return LiveDisplay(console.out, terminal, console.world.now)


def open_session(
    console: Console, env: str, sets: Sequence[str], output: OutputForm, toolchain: Path | None, *, offline: bool
) -> Session:
    """Return a session to read from. Its messages go to standard error."""
    from aiinfra.session.options import Tools
    from aiinfra.session.session import Session

    console.form = output_form(output, None)
    view = View(PlainDisplay(console.err, Terminal(), report=False), console.world.now)
    tools = Tools(toolchain, offline)
    return Session.open(console.world, env, sets=sets, tools=tools, on_event=view, on_secrets=console.hide)
