"""Lines of a command and ENV alone, run without typer, whose import and parser are a tenth of such a command.

Every other line is read by typer, which also has the help and answers what is misspelt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiinfra.cli.commands import COMMANDS
from aiinfra.cli.console import Console
from aiinfra.cli.stopping import interruption_told
from aiinfra.dataclass import dataclass

DIRECT: Final = frozenset({"up", "preview", "status", "validate", "plan"})
"""They take ENV; every option has a default, or may be given again and is then empty."""
YES: Final = frozenset({"--yes", "-y"})


@dataclass(frozen=True, slots=True)
class _Context:
    """What the commands use of typer's context."""

    obj: Console


def is_direct(argv: Sequence[str]) -> bool:
    """Whether the line is a command and ENV, with or without `--yes` where the command has it."""
    match argv:
        case [command, env]:
            return command in DIRECT and not env.startswith("-")
        case ["up", env, flag]:
            return not env.startswith("-") and flag in YES
    return False


def run_direct(argv: Sequence[str], console: Console) -> object:
    """Run a line for which `is_direct` holds; returns what the command returned. Raises `AiinfraError`."""
    name, env, *flags = argv
    command = COMMANDS[name].load()
    console.command = name
    with interruption_told():
        return command(_Context(console), env=env, **_repeatable(command), **({"yes": True} if flags else {}))


def _repeatable(command: Any) -> dict[str, list[Any]]:
    code = command.__code__
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return {name: [] for name in names if name != "env" and name not in command.__kwdefaults__}
