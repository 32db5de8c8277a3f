"""A folder with environment files, and what loading them says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from aiinfra.config import Loaded, load_environment
from aiinfra.errors import ConfigError
from aiinfra.world import World
from tests.unit.kinds import CATALOG

GOOD = """\
version: v1
name: site
stacks:
  cluster:
    kind: cluster
  app:
    kind: app
    cluster: ${cluster}
"""


def a_world(folder: Path, environ: Mapping[str, str] | None = None) -> World:
    return World(
        {"HOME": str(folder / "home"), **(environ or {})}, lambda: datetime(2026, 1, 2, tzinfo=UTC), folder, False
    )


@dataclass
class Site:
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(self, env: str = "site.yaml", *sets: str, target: Literal["lab"] | None = None) -> Loaded:
        world = a_world(self.folder, self.environ)
        return load_environment(env, world=world, catalog=CATALOG, sets=sets, target=target)

    def says(self, env: str = "site.yaml", *sets: str) -> list[str]:
        """Every problem, as a user reads it."""
        try:
            self.load(env, *sets)
        except ConfigError as error:
            return [str(problem) for problem in error.problems] or [f"{error} ({error.record.hint})"]
        return []

    def app(self, lines: Sequence[str]) -> list[str]:
        """Problems of the good site with these lines added to its app, without the file's name."""
        self.write("site.yaml", GOOD + "".join(f"    {line}\n" for line in lines))
        return [one.removeprefix("site.yaml:") for one in self.says()]
