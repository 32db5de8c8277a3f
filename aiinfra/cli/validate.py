"""`aiinfra validate`."""

from __future__ import annotations

import typer

from aiinfra.cli import options as o
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.reading import planned


def validate(
    ctx: typer.Context, *, env: o.EnvArgument, sets: o.SetOption, output: o.OutputOption = OutputForm.TEXT
) -> None:
    """Check the file of ENV and name every problem. Reads no secret and asks nothing of the world."""
    loaded, plan = planned(ctx, env, sets, output)
    count = len(plan.steps)
    payload = {"environment": plan.environment.name, "file": str(loaded.path), "stacks": list(plan.steps)}
    text = f"{loaded.path}: {count} stack{'' if count == 1 else 's'}, no problems"
    Console.of(ctx).answer(output, lambda: text, lambda: payload)
