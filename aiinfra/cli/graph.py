"""`aiinfra graph`."""

from __future__ import annotations

from typing import Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.console import Console
from aiinfra.cli.reading import load


def graph(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    form: Annotated[o.GraphFormat, typer.Option("--format", help="What draws it.")] = o.GraphFormat.MERMAID,
) -> None:
    """Draw the stacks of ENV and their references."""
    from aiinfra.plan.drawing import draw

    plan = load(ctx, env, sets).plan
    Console.of(ctx).out.line(draw(plan, form.value))
