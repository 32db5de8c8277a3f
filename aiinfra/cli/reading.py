"""What the commands share that only read the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm, chosen

if TYPE_CHECKING:
    from aiinfra.config import Loaded
    from aiinfra.plan.planner import Plan


def planned(ctx: typer.Context, env: str, sets: Sequence[str], output: OutputForm) -> tuple[Loaded, Plan]:
    """The file and its plan. Raises `ConfigError` with every problem."""
    from aiinfra.catalog import Catalog
    from aiinfra.config import load_environment
    from aiinfra.plan.planner import plan

    console = Console.of(ctx)
    console.form = chosen(output, None)
    catalog = Catalog.installed()
    loaded = load_environment(env, sets=sets, world=console.world, catalog=catalog)
    return loaded, plan(loaded.environment, catalog)
