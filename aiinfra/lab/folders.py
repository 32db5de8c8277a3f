"""Where an environment's lab lies on this machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiinfra.disk import refused
from aiinfra.world import World

_ODD: Final = re.compile(r"[%?#\x00-\x1f\x7f]")
"""Characters with another meaning in a URL; a lab's state is named by one."""


def labs_root(world: World) -> Path:
    """Return the folder that holds one folder per lab."""
    return world.state() / "labs"


def lab_folder(world: World, environment_name: str, environment_path: Path) -> Path:
    """Return the lab's folder: the environment's name, and eight digits of the file's path against namesakes."""
    digest = hashlib.sha256(str(environment_path.resolve()).encode()).hexdigest()[:8]
    return labs_root(world) / f"{environment_name}-{digest}"


def check_path(folder: Path) -> None:
    """Check a path. Raises `OutsideError` `machine.folder` for a path that the URL of a state cannot hold."""
    if odd := _ODD.search(str(folder)):
        raise refused("the folder for labs", f"its path holds {odd[0]!r}, which the URL of a state cannot", folder)


def all_labs(world: World) -> Sequence[Path]:
    """Return the folders of all labs of this user on this machine."""
    root = labs_root(world)
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else ()
