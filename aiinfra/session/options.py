"""The options of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.report.run import Dependent


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stacks to run; all when nothing is named."""

    only: Sequence[str] = ()
    from_: str = ""
    until: str = ""

    @property
    def all(self) -> bool:
        return not (self.only or self.from_ or self.until)


def stop_for(dependents: Sequence[Dependent]) -> bool:
    """Take nothing of others along."""
    return False


@dataclass(frozen=True, slots=True)
class Options:
    selection: Selection = Selection()
    parallel: int = 8
    """How many stacks run at once."""
    skip: bool = True
    """When False, unchanged stacks run as well."""
    refresh: bool = False
    """Read the world of every chosen stack, field by field, before it is run."""
    keep_lab: bool = False
    """Destroy what the environment made and leave the lab running."""
    environment_id: str = ""
    """For a destroy whose notes are lost: the id that the world's objects carry."""
    forget: Sequence[str] = ()
    """Stacks whose clusters are gone for good: a destroy forgets what was in them."""
    take_along: Callable[[Sequence[Dependent]], bool] = stop_for
    """Asked when a destroy would cost others something: whether it may. Not asked when it costs nobody anything."""
    prove: bool = False
    """Run proofs again."""
    moved: bool = False
    """The file is that of the environment in the state, though it looks like another one."""


DEFAULTS = Options()


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the engine and the lab's programs come from."""

    directory: Path | None = None
    offline: bool = False
    official: Mapping[str, str] = field(default_factory=dict)
    """Official plugins, with their versions, that a lab lets run in place of its stand-ins."""


ANY_TOOLS = Tools()
