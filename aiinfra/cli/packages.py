"""The command that mirrors what the stacks of ENV install."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.group import group
from aiinfra.cli.reading import load, package_judge

app = group("What the stacks of ENV install from elsewhere: Helm's packages.")

MirrorArgument = Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="Made if it is not there.")]


@app.command()
def mirror(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    directory: MirrorArgument,
    sets: o.SetOption,
    output: o.OutputOption = OutputForm.TEXT,
    toolchain: o.ToolchainOption = None,
) -> None:
    """Fetch every chart of ENV into DIR, which the mirror of the file may name, and list the images that they use."""
    console = Console.of(ctx)
    loaded = load(ctx, env, sets, output)
    judge = package_judge(ctx, loaded, toolchain, offline=False)
    kept = judge.mirror(console.world.cwd / directory.expanduser())
    images = sorted({image for one in kept for image in one.images})
    count = f"{len(images)} image{'' if len(images) == 1 else 's'}:"
    lines = [*(str(one.path) for one in kept), count, *(f"  {image}" for image in images)]
    if not kept:
        lines = [f"{loaded.environment.name} installs no chart"]
    payload = {"packages": [str(one.path) for one in kept], "images": images}
    console.answer(output, lambda: "\n".join(lines), lambda: payload)
