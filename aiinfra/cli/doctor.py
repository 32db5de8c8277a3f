"""`aiinfra doctor`."""

from __future__ import annotations

import typer

from aiinfra.cli import options as o
from aiinfra.cli.acting import open_session
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm


def doctor(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    output: o.OutputOption = OutputForm.TEXT,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> None:
    """Ask the outside world whether ENV can work. Exit 3 when something is wrong or could not be read."""
    from aiinfra.session.inspection.doctor import examine
    from aiinfra.ui import findings as f

    console = Console.of(ctx)
    session = open_session(console, env, sets, output, toolchain, offline=offline)
    found = [(one.subject, one.finding) for one in examine(session)]
    text, terminal = f.findings_text, console.terminal()
    console.conclude(
        output, f.exit_code(found), f.errors(found), lambda: text(found, terminal), lambda: f.findings_json(found)
    )
    raise typer.Exit(f.exit_code(found))
