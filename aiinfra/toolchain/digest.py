"""What a built program is made of, as one short digest: sources, sums, flags, package, platform."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from aiinfra.toolchain.table import GoModule, Platform, Tool

SHORT = 12
"""Hexadecimal digits in the name of a cache entry."""


def build_digest(tool: Tool, platform: Platform) -> str:
    """Return the digest of `tool` as it would be built now; it changes with anything that changes the program."""
    parts = (_module_digest(tool.module.folder), *tool.module.flags, tool.package, tool.built_name, str(platform))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:SHORT]


def go_files(module: GoModule) -> list[Path]:
    """Return the files that decide what the module builds: Go sources without tests, what they embed, and the sums."""
    found = (p for p in sorted(module.folder.rglob("*")) if p.is_file())
    return [p for p in found if p.name in ("go.mod", "go.sum") or (p.suffix == ".go" and "_test" not in p.stem)]


def file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _module_digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in go_files(GoModule("", folder)):
        total.update(f"{path.relative_to(folder)}\0{file_digest(path)}\n".encode())
    return total.hexdigest()
