"""One command line, from its words to its exit code."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.cli import crash
from aiinfra.cli.console import Console
from aiinfra.cli.direct import is_direct, run_direct
from aiinfra.cli.form import guess_form
from aiinfra.errors import AiinfraError, OutsideError
from aiinfra.session.interrupt import signals_raised
from aiinfra.world import World, disable_plugin_scan


def run(argv: Sequence[str]) -> int:
    """Run the command line; returns the exit code. The one place where errors are reported."""
    disable_plugin_scan()
    console = Console(World.real(), guess_form(argv))
    crash.install(console, argv)
    try:
        with signals_raised():
            code = _run(argv, console)
    except AiinfraError as error:
        return console.fail(error)
    if code in {0, None} and console.out.lost:
        return console.fail(_output_lost(console.out.lost))
    return code if isinstance(code, int) else 0


def _run(argv: Sequence[str], console: Console) -> object:
    if is_direct(argv):
        return run_direct(argv, console)
    from aiinfra.cli.app import run_parsed

    return run_parsed(argv, console)


def _output_lost(why: str) -> OutsideError:
    return OutsideError(f"standard output could not be written: {why}", code="cli.output_lost", where="standard output")
