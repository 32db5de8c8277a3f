"""Every argument and option that commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aiinfra.cli.complete import environment_names, stack_names
from aiinfra.cli.form import EventsForm, OutputForm
from aiinfra.errors import ConfigError

_SELECT, _RUN, _SHOW = "selection", "run", "show"

EnvArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        show_default=False,
        help="A file, or a name looked up in ./, ./environments/ and ./examples/.",
        autocompletion=environment_names,
    ),
]
SetOption = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        default_factory=list,
        show_default=False,
        help="Replace a value of the file: --set stacks.nfd.version=0.19.0. May be given again.",
    ),
]
OnlyOption = Annotated[
    list[str],
    typer.Option(
        "--only",
        metavar="STACK",
        default_factory=list,
        show_default=False,
        help="These stacks alone. May be given again.",
        autocompletion=stack_names,
    ),
]
FromOption = Annotated[
    str, typer.Option("--from", metavar="STACK", help="This stack and all that need it.", autocompletion=stack_names)
]
UntilOption = Annotated[
    str, typer.Option("--until", metavar="STACK", help="This stack and all it needs.", autocompletion=stack_names)
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing anything.")]
OutputOption = Annotated[
    OutputForm, typer.Option("--output", "-o", help="`json`: one document on standard output, nothing else there.")
]
EventsOption = Annotated[
    EventsForm | None,
    typer.Option("--events", help="Every event as a line of JSON; the last line is the result.", show_default=False),
]
SummaryOption = Annotated[
    list[Path],
    typer.Option(
        "--summary",
        metavar="FILE",
        default_factory=list,
        show_default=False,
        help="Also write a summary: Markdown to *.md, JUnit to *.xml. May be given again.",
    ),
]
ParallelOption = Annotated[int, typer.Option("--parallel", min=1, max=256, help="Stacks at the same time.")]
RefreshOption = Annotated[
    bool, typer.Option("--refresh", help="Read the world of every stack first, and put right what was changed by hand.")
]
NoSkipOption = Annotated[bool, typer.Option("--no-skip", help="Run unchanged stacks through the engine too.")]
KeepLabOption = Annotated[bool, typer.Option("--keep-lab", help="Leave the lab's servers running, empty.")]
EnvironmentIdOption = Annotated[
    str, typer.Option("--environment-id", help="When the notes beside the state are lost: the id to remove.")
]
ForgetOption = Annotated[
    list[str],
    typer.Option(
        "--forget",
        metavar="STACK",
        default_factory=list,
        show_default=False,
        help="The cluster that STACK gives is gone for good: forget what stands there, unasked. May be given again.",
        autocompletion=stack_names,
    ),
]
WithDependentsOption = Annotated[
    bool,
    typer.Option(
        "--with-dependents",
        help="Let go along what others made or run that cannot stay; without it a destroy stops, or asks.",
    ),
]
MovedOption = Annotated[
    bool,
    typer.Option("--moved", help="ENV is the environment that the state has, though its file looks like another."),
]
ProveOption = Annotated[bool, typer.Option("--prove", help="Run every proof again, however fresh it is.")]


def _folder(named: Path | None) -> Path | None:
    """Known before anything runs: what needs none of the programs would not notice, the rest would fail half-way."""
    if named is not None and not named.expanduser().is_dir():
        message = f"the toolchain folder {named.absolute()} does not exist"
        hint = "name a folder" if named.exists() else f"aiinfra toolchain mirror {named} makes one"
        raise ConfigError(message, code="toolchain.directory", hint=hint)
    return named


ToolchainOption = Annotated[
    Path | None,
    typer.Option(
        "--toolchain",
        metavar="DIR",
        show_default=False,
        help="Take the programs from this folder first.",
        callback=_folder,
    ),
]
PackagesOption = Annotated[
    bool,
    typer.Option("--charts", help="Let Helm render each real chart, which must be there; builds its engine first."),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Fetch nothing; name what is missing.")]


class GraphFormat(StrEnum):
    """Values of `graph --format`."""

    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


class SchemaOf(StrEnum):
    """What `schema` describes."""

    ENVIRONMENT = "environment"
    EVENTS = "events"
    RESULT = "result"
    ERRORS = "errors"


SchemaArgument = Annotated[SchemaOf, typer.Argument(metavar="WHAT", help="environment, events, result or errors.")]
