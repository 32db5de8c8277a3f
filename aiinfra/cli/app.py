"""The commands, as a table. Only the module of the command that runs is imported."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup
from typer.exceptions import TyperException

from aiinfra import __version__
from aiinfra.cli import crash
from aiinfra.cli.console import Console
from aiinfra.cli.examples import add_examples
from aiinfra.cli.form import guess_form
from aiinfra.dataclass import dataclass
from aiinfra.errors import AiinfraError, ConfigError, Interrupted, OutsideError
from aiinfra.session.interrupt import signals_raised
from aiinfra.world import World, disable_plugin_scan


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: where its function (or its own `typer.Typer`) is, and its line in `--help`."""

    target: str
    summary: str
    section: str


ACT, LOOK, WRITE, MACHINE = "Change the world", "Look at the world", "Read and write files", "This machine"

COMMANDS: Mapping[str, Entry] = {
    "up": Entry("up:up", "Bring ENV to the state that its file describes", ACT),
    "destroy": Entry("destroy:destroy", "Destroy all that ENV made, and prove that nothing is left", ACT),
    "refresh": Entry("refresh:refresh", "Read the world again and record what drifted", ACT),
    "rehearse": Entry("rehearse:rehearse", "Run any ENV in a throw-away lab: up, proof, destroy, verdict", ACT),
    "preview": Entry("preview:preview", "Say what `up` would change, asking the engine", LOOK),
    "doctor": Entry("doctor:doctor", "Ask the outside world whether ENV can work", LOOK),
    "status": Entry("status:status", "Show the stacks of ENV as last recorded", LOOK),
    "why": Entry("why:why", "Say why a stack of ENV is as it is, and what to do", LOOK),
    "outputs": Entry("outputs:outputs", "Print what the stacks of ENV gave", LOOK),
    "init": Entry("init:init", "Write a first environment file", WRITE),
    "validate": Entry("validate:validate", "Check the file of ENV and name every problem", WRITE),
    "plan": Entry("plan:plan", "Show the stacks of ENV in order, offline", WRITE),
    "graph": Entry("graph:graph", "Draw the stacks of ENV and their references", WRITE),
    "explain": Entry("explain:explain", "Say where a value of ENV comes from", WRITE),
    "render": Entry("render:render", "Write every document that ENV would apply, as files", WRITE),
    "kinds": Entry("kinds:kinds", "List the kinds of stacks", WRITE),
    "schema": Entry("schema:schema", "Print a JSON Schema: environment, events, result, errors", WRITE),
    "lab": Entry("lab:app", "The simulated world of ENV: status, stop, faults", MACHINE),
    "charts": Entry("packages:app", "The charts that ENV installs: mirror", MACHINE),
    "toolchain": Entry("toolchain:app", "The programs that aiinfra needs: list, install, verify, mirror", MACHINE),
}


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
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            hint = "run the command again: it continues where it stopped"
            raise Interrupted("stopped before it was done", hint=hint) from error

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for section, rows in _sections():
            with formatter.section(section):
                formatter.write_dl(rows)


def _sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for section, entries in groupby(COMMANDS.items(), key=lambda item: item[1].section):
        yield section, [(name, entry.summary) for name, entry in entries]


def load_command(name: str, entry: Entry) -> Any:
    """Return the command object of an entry."""
    module, _, attribute = entry.target.partition(":")
    found = getattr(importlib.import_module(f"aiinfra.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        sub = found
    else:
        sub = typer.Typer(add_completion=False, rich_markup_mode=None)
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


def run(argv: Sequence[str]) -> int:
    """Run the command line; returns the exit code. The one place where errors are reported."""
    disable_plugin_scan()
    console = Console(World.real(), guess_form(argv))
    crash.install(console, argv)
    command = typer.main.get_command(root)
    try:
        with signals_raised():
            code = command.main(list(argv), prog_name="aiinfra", standalone_mode=False, obj=console)
    except AiinfraError as error:
        return console.fail(error)
    except TyperException as error:
        return console.fail(_usage_error(error))
    except typer.Abort:
        return console.fail(Interrupted("not approved; nothing was touched", code="run.not_approved"))
    if code in {0, None} and console.out.lost:
        return console.fail(_output_lost(console.out.lost))
    return code if isinstance(code, int) else 0


def _output_lost(why: str) -> OutsideError:
    return OutsideError(f"standard output could not be written: {why}", code="cli.output_lost", where="standard output")


def _usage_error(error: TyperException) -> ConfigError:
    """Return what typer says about the command line as an error of ours."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "aiinfra"
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    message = re.sub(r"\. Did you mean|\s*\(Possible options:", "; did you mean", message)
    message = re.sub(r"(?<=mean )([^()?]+)\)$", r"\1?", message)
    return ConfigError(message, code="cli.usage", hint=f"see {path} --help")
