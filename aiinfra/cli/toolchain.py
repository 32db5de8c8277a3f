"""`aiinfra toolchain list|install|verify|mirror`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli.complete import environment_names
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.group import group
from aiinfra.cli.options import OfflineOption, OutputOption, ToolchainOption
from aiinfra.dataclass import dataclass
from aiinfra.ui.tables import table

if TYPE_CHECKING:
    from aiinfra.toolchain import Toolchain
    from aiinfra.toolchain.plugins import Plugin, Plugins

app = group("The programs that aiinfra needs: the engine host and the lab's servers.")

NamesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="[NAME|ENV]...",
        default_factory=list,
        show_default=False,
        help="Programs, or environments: all that their kinds need. Default: all programs.",
    ),
]
EnvsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="[ENV]...",
        default_factory=list,
        show_default=False,
        help="Also the Pulumi plugins that these environments need.",
        autocompletion=environment_names,
    ),
]
SourceOption = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="FOLDER|URL",
        show_default=False,
        help="Take Pulumi plugins from here: the vendor's archives under their own names. Default: the vendor.",
    ),
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
    ctx: typer.Context,
    names: NamesArgument,
    source: SourceOption = "",
    toolchain: ToolchainOption = None,
    offline: OfflineOption = False,
) -> None:
    """Find, fetch or build what is not here yet: programs, and for an environment the Pulumi plugins of its kinds."""
    from aiinfra.toolchain.plugins import Plugins

    console, tools = Console.of(ctx), _open_toolchain(ctx, toolchain, offline)
    needs = _needs([name for name in names if name not in tools.tools], tools, console)
    programs = [*(name for name in names if name in tools.tools), *needs.programs] if names else tools.usual
    for name, path in tools.ensure(programs, console.err.line).items():
        console.out.line(f"{name}: {path}")
    plugins = Plugins(console.world, tools.directory)
    for path in plugins.install(needs.plugins, _source(source, plugins, needs, offline), console.err.line):
        console.out.line(f"{path.name}: {path}")


@app.command()
def verify(ctx: typer.Context, toolchain: ToolchainOption = None, output: OutputOption = OutputForm.TEXT) -> None:
    """Hash every installed program against its record, and run it."""
    from aiinfra.toolchain.inspection import damage_error, verify_plugins, verify_tools
    from aiinfra.toolchain.plugins import Plugins

    rows = [*verify_tools(_open_toolchain(ctx, toolchain)), *verify_plugins(Plugins(Console.of(ctx).world))]
    if error := damage_error(rows):
        raise error
    Console.of(ctx).answer(
        output,
        lambda: table([(row.name, row.version, "ok", row.path) for row in rows]),
        lambda: {"tools": [row.as_json() for row in rows]},
    )


@app.command()
def mirror(  # noqa: PLR0917  each is an argument of the command
    ctx: typer.Context,
    directory: MirrorArgument,
    environments: EnvsArgument,
    source: SourceOption = "",
    toolchain: ToolchainOption = None,
    offline: OfflineOption = False,
) -> None:
    """Copy all programs into DIR, to be named with --toolchain on a machine without network."""
    from aiinfra.toolchain.inspection import mirror as copy_all
    from aiinfra.toolchain.plugins import Plugins

    console, tools = Console.of(ctx), _open_toolchain(ctx, toolchain, offline)
    needs, plugins = _needs(environments, tools, console), Plugins(console.world, tools.directory)
    for path in copy_all(tools, directory, console.err.line):
        console.out.line(str(path))
    for path in plugins.copy(needs.plugins, _source(source, plugins, needs, offline), directory, console.err.line):
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


@dataclass(frozen=True, slots=True)
class _Needs:
    """What environments need of this machine."""

    programs: Sequence[str] = ()
    plugins: Sequence[Plugin] = ()


def _needs(environments: Sequence[str], toolchain: Toolchain, console: Console) -> _Needs:
    """Read environments. Raises `BadParameter` for a name that is neither a program nor an environment."""
    from aiinfra.errors import ConfigError
    from aiinfra.session.plugins import plugins_of
    from aiinfra.session.session import Session

    programs: list[str] = []
    plugins: list[Plugin] = []
    for name in environments:
        try:
            session = Session.open(console.world, name)
        except ConfigError as error:
            if error.record.code == "config.not_found":
                known = ", ".join(toolchain.tools)
                raise typer.BadParameter(f"{name!r} is none of {known}, and no environment") from error
            raise
        programs += ["aiinfra-engine", *session.places.lab_tools]
        plugins += plugins_of(session.plan)
        if session.places.in_lab:
            console.err.line(f"{name} is a lab: its stand-ins need no Pulumi plugin")
    return _Needs(list(dict.fromkeys(programs)), list(dict.fromkeys(plugins)))


def _source(named: str, plugins: Plugins, needs: _Needs, offline: bool) -> str | Path:
    """Return where plugins come from: what --from names, the toolchain folder when it has them, else the vendor."""
    from aiinfra.toolchain.plugins import VENDOR, offline_error

    lacking = plugins.lacking(needs.plugins)
    if not named and not lacking and plugins.mirror is not None:
        return plugins.mirror
    if offline and lacking and (not named or "://" in named):
        raise offline_error(lacking)
    return named or VENDOR
