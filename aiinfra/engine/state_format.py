"""Check, without the host, that a state in a folder has the one format that the engine host works on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from aiinfra.engine.host_connection import EngineError, refusal

OURS: Final = 1
"""Stacks belong to projects (pulumi/pkg v3.259.0, backend/diy/meta.go)."""
_VERSION: Final = re.compile(rb"^version: *(\d+) *$", re.MULTILINE)


def check_format(state: Path) -> None:
    """Raise `EngineError` for another format. A state that does not exist or cannot be read passes."""
    meta = state / ".pulumi" / "meta.yaml"
    try:
        found = _VERSION.search(meta.read_bytes())
    except OSError:
        return
    if found is None:
        message = "the state does not say of which format it is"
        raise EngineError(message, code="engine.damaged", where=str(meta), hint=f"write version: {OURS} to it")
    version = int(found[1])
    if version > OURS:
        raise refusal("newer", "the state is of a newer format than this aiinfra knows", str(meta))
    if version < OURS:
        raise refusal("legacy", "the state is of Pulumi's old format, whose stacks belong to no project", str(meta))
