"""What the shell offers for ENV and STACK. Reads names only, and never fails: no offer is better than a message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aiinfra.errors import ConfigError
from aiinfra.world import World

_STACK = r"(?m)^ {1,8}([a-z][a-z0-9_-]{0,39})\s*:"
_STACKS_BLOCK = r"(?m)^stacks\s*:[^\n]*\n((?:[ \t#][^\n]*\n|\n)*)"


def environment_names(ctx: Any, args: list[str], incomplete: str) -> list[str]:
    """Return the environments that can be named from here."""
    from aiinfra.config import lookup

    return [name for name in lookup.environment_names(World.real()) if name.startswith(incomplete)]


def stack_names(ctx: Any, args: list[str], incomplete: str) -> list[str]:
    """Return the stacks of the environment that is already on the line."""
    from aiinfra.config.lookup import find_environment

    try:
        path = find_environment(_env(ctx), World.real())
    except ConfigError:
        return []
    block = re.search(_STACKS_BLOCK, _text(path) + "\n")
    entries = re.finditer(_STACK, block[1]) if block else iter(())
    found = [(match.start(1) - match.start(), match[1]) for match in entries]
    depth = min((indent for indent, _ in found), default=0)
    return [name for indent, name in found if indent == depth and name.startswith(incomplete)]


def _env(ctx: Any) -> str:
    """ENV of a line that is not finished: an option without its value leaves the words before it unread."""
    return str(ctx.params.get("env") or next(iter(ctx.args), ""))


def fault_names(ctx: Any, args: list[str], incomplete: str) -> list[str]:
    """Return the faults that a lab knows."""
    from aiinfra.lab.domains import fault_types

    return [name for name in fault_types() if name.startswith(incomplete)]


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(100_000)
    except OSError:
        return ""
