"""`aiinfra plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.reading import load

if TYPE_CHECKING:
    import typer

    from aiinfra.cli import options as o


def plan(
    ctx: typer.Context, *, env: o.EnvArgument, sets: o.SetOption, output: o.OutputOption = OutputForm.TEXT
) -> None:
    """Show the stacks of ENV in order, offline: no network, no credentials."""
    from aiinfra.session.inspection.record import read_record
    from aiinfra.ui.plan import plan_json, plan_text

    found = load(ctx, env, sets, output)
    console = Console.of(ctx)
    known = read_record(console.world, found.plan, found.path)
    console.answer(
        output,
        lambda: plan_text(found.plan, console.terminal(), known),
        lambda: plan_json(found.plan, known),
    )
