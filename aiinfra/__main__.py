"""The entry point. `--version` answers before anything heavy is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from aiinfra import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        sys.stdout.write(f"aiinfra {__version__}\n")
        return 0
    try:
        from aiinfra.cli.app import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
