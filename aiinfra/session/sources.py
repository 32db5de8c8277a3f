"""The code that every stack's result depends on, as one hash: a new version of it runs the stacks again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiinfra import __version__
from aiinfra.engine.digest import sources_digest

PACKAGE: Final = Path(__file__).parent.parent
PROVIDERS: Final = ("providers", "resources", "domains")
STAND_INS: Final[tuple[str, ...]] = ()


def shared_sources(*, simulated: bool) -> str:
    folders = (*PROVIDERS, *STAND_INS) if simulated else PROVIDERS
    return f"{__version__}:{sources_digest(PACKAGE / folder for folder in folders)}"
