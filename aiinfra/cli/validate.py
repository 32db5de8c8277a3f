"""`aiinfra validate`."""

from __future__ import annotations

import typer

from aiinfra.cli import options as o
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.reading import load


def validate(
    ctx: typer.Context, *, env: o.EnvArgument, sets: o.SetOption, output: o.OutputOption = OutputForm.TEXT
) -> None:
    """Check the file of ENV and name every problem. Reads no secret and asks nothing of the world."""
    from aiinfra.config.files import display_path

    found = load(ctx, env, sets, output)
    path = display_path(found.path, Console.of(ctx).world.cwd)
    count = len(found.plan.steps)
    payload = {"environment": found.environment.name, "file": path, "stacks": list(found.plan.steps)}
    text = f"{path}: {count} stack{'' if count == 1 else 's'}, no problems"
    Console.of(ctx).answer(output, lambda: text, lambda: payload)
