"""The result of reading an environment file."""

from __future__ import annotations

from pathlib import Path

from aiinfra.config.layers import Layer, Merged
from aiinfra.config.targets import shared_source
from aiinfra.dataclass import dataclass
from aiinfra.model.environment import Environment
from aiinfra.model.tree import Loc
from aiinfra.plan.planner import Plan


@dataclass(frozen=True, slots=True)
class Loaded:
    """An environment that is well formed, its plan, and where every value of it comes from."""

    path: Path
    plan: Plan
    merged: Merged

    @property
    def environment(self) -> Environment:
        return self.plan.environment

    def origins(self, at: Loc) -> list[Layer]:
        """Layers that give the value at a path, the one that counts first."""
        return self.merged.owners(at)

    def where(self, at: Loc) -> str:
        """`file:line:col` of a value, of the nearest one above it that was written, or the file."""
        for length in range(len(at), 0, -1):
            if owners := self.merged.owners(at[:length]):
                if length > 2 and owners[0].source == shared_source(str(at[2])):
                    return self.where(at[2:])
                return owners[0].where(at[:length], key=length < len(at))
        return str(self.path)
