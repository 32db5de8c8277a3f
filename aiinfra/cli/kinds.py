"""`aiinfra kinds`."""

from __future__ import annotations

import typer

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.options import OutputOption


def kinds(ctx: typer.Context, output: OutputOption = OutputForm.TEXT) -> None:
    """List the kinds of stacks."""
    from aiinfra.catalog import Catalog
    from aiinfra.ui.kinds import kinds_json, kinds_text

    catalog = Catalog.installed()
    Console.of(ctx).answer(output, lambda: kinds_text(catalog), lambda: kinds_json(catalog))
