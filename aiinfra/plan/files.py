"""Files that inputs of stacks name as a part of what they build, and those that are missing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from aiinfra.errors import ConfigError, Problem
from aiinfra.model.tree import Loc, dotted
from aiinfra.plan.planner import Plan
from aiinfra.stack import StackName, UsesFiles

ABSENT: Final = "does not exist"


def check_files(
    plan: Plan, base: Path, where: Callable[[Loc], str], chosen: Collection[StackName] | None = None
) -> None:
    """Raise `ConfigError` `config.file_missing` with a problem for each file that is not there."""
    problems: dict[str, Problem] = {}
    for name, step in plan.steps.items():
        if (chosen is not None and name not in chosen) or not isinstance(step.kind.checks, UsesFiles):
            continue
        for used in step.kind.checks.files(step.inputs, base):
            if wrong := _wrong(used.path):
                full = ("stacks", name, *used.at)
                hint = used.hint if wrong == ABSENT else ""
                said = Problem(where(full), dotted(full), f"{used.path} {wrong}", hint, code="config.file_missing")
                problems.setdefault(str(used.path), said)
    if problems:
        raise ConfigError(problems=list(problems.values()))


def _wrong(path: Path) -> str:
    if not path.exists():
        return ABSENT
    return "" if os.access(path, os.R_OK) else "cannot be read"
