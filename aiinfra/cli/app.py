"""The command line as typer reads it. Only the module of the command that runs is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, Any, get_type_hints

import typer
import typer.main
from typer.core import TyperGroup
from typer.exceptions import TyperException

from aiinfra import __version__
from aiinfra.cli import options
from aiinfra.cli.commands import COMMANDS, Entry
from aiinfra.cli.console import Console
from aiinfra.cli.examples import add_examples
from aiinfra.cli.stopping import interruption_told, not_approved
from aiinfra.errors import ConfigError


class Commands(TyperGroup):
    """A group that knows its commands by name and loads one when it is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # names only: typer suggests from them

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        return load_command(cmd_name, entry) if entry else None

    def invoke(self, ctx: Any) -> Any:
        with interruption_told():
            return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for section, rows in _sections():
            with formatter.section(section):
                formatter.write_dl(rows)


def _sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for section, entries in groupby(COMMANDS.items(), key=lambda item: item[1].section):
        yield section, [(name, entry.summary) for name, entry in entries]


def load_command(name: str, entry: Entry) -> Any:
    """Return the command object of an entry."""
    found = entry.load()
    if isinstance(found, typer.Typer):
        sub = found
    else:
        sub = typer.Typer(add_completion=False, rich_markup_mode=None)
        found.__annotations__ = get_type_hints(found, localns={"o": options, "typer": typer}, include_extras=True)
        sub.command(name)(found)
    command = typer.main.get_command(sub)
    command.name = name
    add_examples(command, name)
    return command


root = typer.Typer(
    name="aiinfra",
    cls=Commands,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@root.callback()
def aiinfra(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Bring a GPU platform into the state that one file describes, and prove it.

    ENV is a path, or a name looked up in ./, ./environments/ and ./examples/.
    """
    Console.of(ctx).command = ctx.invoked_subcommand or ""
    if version:
        typer.echo(f"aiinfra {__version__}")
    elif ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def run_parsed(argv: Sequence[str], console: Console) -> object:
    """Run a command line that typer reads; returns what the command returned.

    Raises `AiinfraError` when the command failed or the line cannot be read.
    """
    try:
        return typer.main.get_command(root).main(list(argv), prog_name="aiinfra", standalone_mode=False, obj=console)
    except TyperException as error:
        raise _usage_error(error) from error
    except typer.Abort as error:
        raise not_approved() from error


def _usage_error(error: TyperException) -> ConfigError:
    """Return what typer says about the command line as an error of ours."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "aiinfra"
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    message = re.sub(r"\. Did you mean|\s*\(Possible options:", "; did you mean", message)
    message = re.sub(r"(?<=mean )([^()?]+)\)$", r"\1?", message)
    return ConfigError(message, code="cli.usage", hint=f"see {path} --help")
