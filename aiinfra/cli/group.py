"""Commands of one word more, such as `aiinfra lab stop`."""

from __future__ import annotations

import typer


def group(help: str) -> typer.Typer:
    """Return a group that shows its help when it is called without a command, as `aiinfra` does."""
    return typer.Typer(
        add_completion=False, rich_markup_mode=None, invoke_without_command=True, callback=_show_help, help=help
    )


def _show_help(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
