"""The code that a stack's result depends on, as one hash: a new version of it runs the stack again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from aiinfra import __version__
from aiinfra.engine.digest import sources_digest
from aiinfra.stack import StackType

PACKAGE: Final = Path(__file__).parent.parent
SHARED: Final = ("providers", "resources", "domains")


def code_digest(kind: StackType[Any, Any], *, simulated: bool) -> str:
    folders = (*(PACKAGE / folder for folder in SHARED), *kind.watched())
    return f"{__version__}:{simulated}:{sources_digest(folders)}"
