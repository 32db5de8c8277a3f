"""The effects of this process, in one bundle: environment variables, clock, working directory, standard streams.

Built once by the command line, passed down, replaced in tests. Nothing else may read `os.environ`.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from aiinfra.dataclass import dataclass


def disable_plugin_scan() -> None:
    """Keep pydantic from reading the metadata of every installed package in search of plugins: 40 ms of each start.

    Its own switch is an environment variable (pydantic/plugin/_loader.py), so it is set before pydantic is imported.
    The loader is left out with it: it imports the reader of metadata, which nothing else needs, before it looks at
    the switch.
    """
    if os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__") == "__all__":
        loader = ModuleType("pydantic.plugin._loader")
        vars(loader)["get_plugins"] = tuple
        sys.modules.setdefault(loader.__name__, loader)


def reduce_garbage_collection() -> None:
    """Keep Python from looking for garbage among what it loads: a tenth of each start.

    Modules and models are tens of thousands of objects that all stay. What is still there at the end goes with the
    process, so it is not looked through either.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


def raise_on_outputs_as_text() -> None:
    """Let Pulumi raise where a program puts an Output into a text, instead of putting a warning there.

    A switch of its SDK, read from the environment at that moment (pulumi/output.py, `Output.__str__`).
    """
    os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"


def _cwd(environ: Mapping[str, str]) -> Path:
    """Return the working directory, also when it has been removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/", environ.get("PWD", ""))


@dataclass(frozen=True, slots=True)
class World:
    """What a run may know of the machine."""

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    cwd: Path
    interactive: bool
    """True when standard output and input are a terminal."""

    @classmethod
    def real(cls) -> World:
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        return cls(dict(os.environ), lambda: datetime.now(UTC), _cwd(os.environ), terminal)

    def home(self) -> Path:
        """Return `$HOME`; without it the one of the user's account, or `/` for a user without an account."""
        if home := self.environ.get("HOME"):
            return self.cwd / home
        try:
            return Path.home()
        except RuntimeError:
            return Path("/")

    def cache(self) -> Path:
        """`$XDG_CACHE_HOME/aiinfra`: what can be made again."""
        return (self._base("XDG_CACHE_HOME") or self.home() / ".cache") / "aiinfra"

    def state(self) -> Path:
        """`$XDG_STATE_HOME/aiinfra`: labs, logs, what must outlive a run on this machine."""
        return (self._base("XDG_STATE_HOME") or self.home() / ".local" / "state") / "aiinfra"

    def _base(self, variable: str) -> Path | None:
        """Return the folder of a variable, or None for a relative path.

        See XDG Base Directory Specification 0.8, "Basics".
        """
        path = Path(self.environ.get(variable, ""))
        return path if path.is_absolute() else None
