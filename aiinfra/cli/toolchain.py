"""`aiinfra toolchain list|install|verify|mirror`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.group import group
from aiinfra.cli.options import OfflineOption, OutputOption, ToolchainOption
from aiinfra.ui.tables import table

if TYPE_CHECKING:
    from aiinfra.toolchain import Toolchain

app = group("The programs that aiinfra needs: the engine host and the lab's servers.")

NamesArgument = Annotated[
    list[str], typer.Argument(metavar="[NAME]...", default_factory=list, show_default=False, help="Default: all.")
]
CommandArgument = Annotated[list[str], typer.Argument(metavar="COMMAND...", show_default=False)]
MirrorArgument = Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="Made if it is not there.")]


@app.command("list")
def list_(ctx: typer.Context, toolchain: ToolchainOption = None, output: OutputOption = OutputForm.TEXT) -> None:
    """Say of each program where it is, or how it would be had."""
    from aiinfra.toolchain.inspection import list_tools

    rows = list_tools(_open_toolchain(ctx, toolchain))

    def text() -> str:
        heads = ("NAME", "VERSION", "PLACE", "PATH")
        return table([heads, *((r.name, r.version, r.place if r.ready else f"to {r.place}", r.path) for r in rows)])

    Console.of(ctx).answer(output, text, lambda: {"tools": [row.as_json() for row in rows]})


@app.command()
def install(
    ctx: typer.Context, names: NamesArgument, toolchain: ToolchainOption = None, offline: OfflineOption = False
) -> None:
    """Find, fetch or build what is not here yet."""
    tools = _open_toolchain(ctx, toolchain, offline)
    _require_names(names, tools)
    console = Console.of(ctx)
    for name, path in tools.ensure(names or tools.tools, console.err.line).items():
        console.out.line(f"{name}: {path}")


@app.command()
def verify(ctx: typer.Context, toolchain: ToolchainOption = None, output: OutputOption = OutputForm.TEXT) -> None:
    """Hash every installed program against its record, and run it."""
    from aiinfra.toolchain.inspection import damage_error, verify_tools

    rows = verify_tools(_open_toolchain(ctx, toolchain))
    if error := damage_error(rows):
        raise error
    Console.of(ctx).answer(
        output,
        lambda: table([(row.name, row.version, "ok", row.path) for row in rows]),
        lambda: {"tools": [row.as_json() for row in rows]},
    )


@app.command()
def mirror(
    ctx: typer.Context, directory: MirrorArgument, toolchain: ToolchainOption = None, offline: OfflineOption = False
) -> None:
    """Copy all programs into DIR, to be named with --toolchain on a machine without network."""
    from aiinfra.toolchain.inspection import mirror as copy_all

    console = Console.of(ctx)
    for path in copy_all(_open_toolchain(ctx, toolchain, offline), directory, console.err.line):
        console.out.line(str(path))


@app.command("exec", hidden=True)
def exec_(ctx: typer.Context, command: CommandArgument) -> None:
    """Become COMMAND, with the Go that builds first on PATH and in its environment. For work on aiinfra itself."""
    console = Console.of(ctx)
    go = _open_toolchain(ctx, None).go(console.err.line)
    path = f"{go.program.parent}{os.pathsep}{console.world.environ.get('PATH', '')}"
    chosen = {k: v for k, v in console.world.environ.items() if k == "CGO_ENABLED"}
    os.execvpe(command[0], command, {**go.environ, **chosen, "PATH": path})


def _open_toolchain(ctx: typer.Context, directory: Path | None, offline: bool = False) -> Toolchain:
    from aiinfra.toolchain import Toolchain

    return Toolchain(Console.of(ctx).world, directory, offline)


def _require_names(names: Sequence[str], toolchain: Toolchain) -> None:
    for name in names:
        if name not in toolchain.tools:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(toolchain.tools)}")
