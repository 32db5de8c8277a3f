"""`aiinfra status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiinfra.cli.acting import open_session
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm

if TYPE_CHECKING:
    import typer

    from aiinfra.cli import options as o


def status(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    output: o.OutputOption = OutputForm.TEXT,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> None:
    """Show the stacks of ENV as last recorded. Asks no engine where the state is a folder on this machine."""
    from aiinfra.session.inspection.status import status as recorded
    from aiinfra.ui.status import status_json, status_text

    console = Console.of(ctx)
    found = recorded(open_session(console, env, sets, output, toolchain, offline=offline))
    now, terminal = console.world.now(), console.terminal()
    console.answer(output, lambda: status_text(found, now, terminal), lambda: status_json(found))
