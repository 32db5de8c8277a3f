"""The entry point. `--version` answers before anything heavy is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from aiinfra import __version__


def stand_in_for_closed_streams() -> None:
    """Put a stream to nowhere where a standard stream is closed (`>&-`): else the next file takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  open until the end


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    stand_in_for_closed_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        sys.stdout.write(f"aiinfra {__version__}\n")
        return 0
    try:
        from aiinfra.world import reduce_garbage_collection

        reduce_garbage_collection()
        from aiinfra.cli.entry import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
