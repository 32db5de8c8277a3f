"""`aiinfra init`."""

from __future__ import annotations

from typing import Annotated

import typer

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm, output_form
from aiinfra.cli.options import OutputOption

NameArgument = Annotated[str, typer.Argument(metavar="[NAME]", help="Name of the environment, and of its file.")]


def init(ctx: typer.Context, *, name: NameArgument = "first", output: OutputOption = OutputForm.TEXT) -> None:
    """Write a first environment file, NAME.yaml. A file that exists is never touched."""
    from aiinfra.config.files import display_path
    from aiinfra.config.starter import write_starter

    console = Console.of(ctx)
    console.form = output_form(output, None)
    path = display_path(write_starter(name, console.world.cwd), console.world.cwd)
    text = f"wrote {path}; next: aiinfra plan {name}, then aiinfra up {name}"
    console.answer(output, lambda: text, lambda: {"file": path, "environment": name})
