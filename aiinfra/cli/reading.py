"""What the commands share that only read the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm, output_form

if TYPE_CHECKING:
    from aiinfra.config import Loaded


def load(ctx: typer.Context, env: str, sets: Sequence[str], output: OutputForm = OutputForm.TEXT) -> Loaded:
    """Return the checked file of ENV and its plan. Raises `ConfigError` with every problem."""
    from aiinfra.catalog import Catalog
    from aiinfra.config import load_environment

    console = Console.of(ctx)
    console.form = output_form(output, None)
    return load_environment(env, sets=sets, world=console.world, catalog=Catalog.installed())
