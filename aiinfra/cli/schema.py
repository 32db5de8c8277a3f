"""`aiinfra schema`."""

from __future__ import annotations

import typer

from aiinfra.cli import options as o
from aiinfra.cli.console import Console
from aiinfra.cli.form import Form


def schema(ctx: typer.Context, of: o.SchemaArgument = o.SchemaOf.ENVIRONMENT) -> None:
    """Print a JSON Schema, or with `errors` every error code: for editors, and for those who read our output."""
    from aiinfra.cli.schemas import document

    console = Console.of(ctx)
    console.form = Form.JSON
    console.machine(document(of))
