"""`aiinfra outputs`."""

from __future__ import annotations

from typing import Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.acting import open_session
from aiinfra.cli.complete import stack_names
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm

StackArgument = Annotated[
    str, typer.Argument(metavar="[STACK]", help="One stack; all when left out.", autocompletion=stack_names)
]


def outputs(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    stack: StackArgument = "",
    sets: o.SetOption,
    output: o.OutputOption = OutputForm.TEXT,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> None:
    """Print what the stacks of ENV gave to others. Secrets stay hidden."""
    from aiinfra.plan.selection import require_stacks
    from aiinfra.ui.outputs import outputs_json, outputs_text

    console = Console.of(ctx)
    session = open_session(console, env, sets, output, toolchain, offline=offline)
    require_stacks(session.plan, "STACK", [stack] if stack else [])
    given = session.outputs(stack)
    console.answer(output, lambda: outputs_text(given), lambda: outputs_json(given))
