"""What `render` wrote, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, Mapping[str, str]]
"""Texts by file name, by stack."""


def rendered_text(files: Files, out: Path) -> str:
    count = sum(map(len, files.values()))
    lines = [f"{out}: {count} file{'' if count == 1 else 's'}"]
    for stack, texts in files.items():
        lines += [f"  {stack}/{name}" for name in texts] or [f"  {stack}: applies no documents"]
    return "\n".join(lines)


def rendered_json(files: Files, out: Path) -> dict[str, object]:
    return {"folder": str(out), "stacks": {stack: list(texts) for stack, texts in files.items()}}
