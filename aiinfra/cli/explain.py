"""`aiinfra explain`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.reading import load


def explain(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="A value or what holds it: stacks.nfd.version")] = "",
    sets: o.SetOption,
    output: o.OutputOption = OutputForm.TEXT,
) -> None:
    """Say where a value of ENV comes from, and what it overrides. Without PATH: every value."""
    from aiinfra.config.explain import explain as explained
    from aiinfra.ui.explain import explained_text

    found = explained(load(ctx, env, sets, output), path)
    payload = {"values": [asdict(one) for one in found]}
    Console.of(ctx).answer(output, lambda: explained_text(found), lambda: payload)
