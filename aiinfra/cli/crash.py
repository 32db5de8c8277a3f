"""What the user reads of a bug: one sentence and the path of a crash file. Never a traceback on the screen.

Installed as Python's own hooks for uncaught exceptions, so that no code has to catch what it cannot name.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from aiinfra import __version__
from aiinfra.cli.console import Console
from aiinfra.errors import AiinfraError


def install(console: Console, argv: Sequence[str]) -> None:
    """From now on an uncaught exception, in any thread, ends as a crash file and a sentence; Python exits with 1."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        report(console, argv, error, trace)

    def thread_hook(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            report(console, argv, arguments.exc_value, arguments.exc_traceback)

    sys.excepthook = hook
    threading.excepthook = thread_hook


def report(console: Console, argv: Sequence[str], error: BaseException, trace: TracebackType | None) -> None:
    """Write the crash file and say where it is."""
    path = crash_file(console, argv, error, trace)
    kept = f"the details are in {path}" if path else console.err.masker(str(error))
    message = f"aiinfra has a bug, {type(error).__name__}: {kept}"
    console.fail(AiinfraError(message, hint="please report it with that file; running the command again is safe"))


def crash_file(console: Console, argv: Sequence[str], error: BaseException, trace: TracebackType | None) -> Path | None:
    """Write the crash file, mode 0600, and return its path; None when the folder cannot be written."""
    import platform
    import traceback

    folder = console.world.state() / "crashes"
    path = folder / f"{console.world.now():%Y%m%dT%H%M%S%f}.txt"
    lines = (
        f"aiinfra {__version__} · Python {platform.python_version()} · {platform.platform()}\n",
        f"aiinfra {' '.join(argv)}\n\n",
        *traceback.format_exception(type(error), error, trace),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(console.err.masker("".join(lines)), encoding="utf-8")
    except OSError:
        return None
    return path
