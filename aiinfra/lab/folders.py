"""Where an environment's lab lies on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiinfra.world import World


def labs_root(world: World) -> Path:
    """The folder that holds one folder per lab."""
    return world.state() / "labs"


def lab_folder(world: World, environment_name: str, environment_path: Path) -> Path:
    """The lab's folder: the name for people, eight digits of the file's resolved path against namesakes."""
    digest = hashlib.sha256(str(environment_path.resolve()).encode()).hexdigest()[:8]
    return labs_root(world) / f"{environment_name}-{digest}"
