"""`aiinfra why`."""

from __future__ import annotations

from typing import Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.acting import open_session
from aiinfra.cli.complete import stack_names
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm

StackArgument = Annotated[
    str,
    typer.Argument(
        metavar="[STACK]",
        show_default=False,
        help="Default: the one that a run works on, else the one that is worst off.",
        autocompletion=stack_names,
    ),
]


def why(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    stack: StackArgument = "",
    sets: o.SetOption,
    output: o.OutputOption = OutputForm.TEXT,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> None:
    """Say why STACK is as it is: what a run waits for or its last failure, what its cluster says, and what to do."""
    from aiinfra.session.inspection.why import why as asked
    from aiinfra.ui.why import why_json, why_text

    console = Console.of(ctx)
    found = asked(open_session(console, env, sets, output, toolchain, offline=offline), stack)
    now, terminal = console.world.now(), console.terminal()
    console.answer(output, lambda: why_text(found, now, terminal), lambda: why_json(found))
