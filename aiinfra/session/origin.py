"""Which environment file an environment in a state was made from, so that another one of its name is noticed.

Environments in one state are told apart by name alone. A file is known by its path on its machine; elsewhere, as a
checkout may lie anywhere, by the stacks that it has in common with what was made.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.engine.digest import keyed
from aiinfra.engine.journal import Journal
from aiinfra.errors import OutsideError
from aiinfra.model.tree import as_tree
from aiinfra.plan.planner import Step
from aiinfra.session.run import Run

KEY: Final = "origin.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """An environment file, as it is noted beside the state."""

    host: str
    path: str
    kinds: Mapping[str, str]
    """By stack."""
    connections: Mapping[str, str]
    """By stack with inputs that say how to reach the outside: a hash of those, as they are written."""

    @classmethod
    def of(cls, run: Run, file: Path) -> Origin:
        steps = run.plan.steps.values()
        return cls(
            socket.gethostname(),
            str(file.resolve()),
            {step.name: step.kind.kind for step in steps},
            {step.name: _connection(run, step) for step in steps if step.kind.connection},
        )

    @property
    def place(self) -> str:
        return f"{self.path} on {self.host}"

    def is_at_the_place_of(self, other: Origin) -> bool:
        return (self.host, self.path) == (other.host, other.path)

    def shares(self, kinds: Mapping[str, str]) -> bool:
        """Whether it has one of these stacks, of the same kind."""
        return any(kinds.get(stack) == kind for stack, kind in self.kinds.items())

    def reconnected(self, other: Origin) -> str:
        """The first stack of both that is connected in another way; empty when there is none."""
        both = [stack for stack in self.connections if stack in other.connections]
        return next((stack for stack in both if self.connections[stack] != other.connections[stack]), "")


def check_origin(run: Run, file: Path, *, destroys: bool = False) -> None:
    """Raises `OutsideError` `state.another_file` when what exists was made from another file of the same name.

    `destroys`: nothing but the note tells whose stacks would go, as a destroy takes its access from the state.
    """
    if run.simulated or run.options.moved:
        return
    here, noted = Origin.of(run, file), noted_origin(run.journal)
    if noted is not None and here.is_at_the_place_of(noted):
        return
    made = _made(run.journal, noted)
    if made and not here.shares(made):
        _refuse_if_anything_exists(run, here, noted, f"{here.path} has none of its stacks ({', '.join(sorted(made))})")
    elif noted is not None and (destroys or _is_still_there(here, noted)) and (stack := here.reconnected(noted)):
        _refuse_if_anything_exists(run, here, noted, f"the stack {stack} is connected differently in {here.path}")


def note_origin(run: Run, file: Path) -> None:
    """Remember the file from which a run works; nothing is written when that is known."""
    here = Origin.of(run, file)
    if not run.simulated and noted_origin(run.journal) != here:
        run.journal.notes.put(KEY, json.dumps(asdict(here)).encode())


def noted_origin(journal: Journal) -> Origin | None:
    """None also when the note is damaged, or of another version: then only the stacks count."""
    raw = journal.notes.get(KEY)
    try:
        return None if raw is None else Origin(**json.loads(raw))
    except (ValueError, TypeError):
        return None


def _connection(run: Run, step: Step) -> str:
    """Keyed, as literals may be delicate; by the id, which every machine has."""
    written: Mapping[str, Any] = run.plan.environment.stacks[step.name].inputs
    parts = [f"{name}={as_tree(written.get(name))}" for name in step.kind.connection]
    return keyed(run.environment_id.encode(), *parts)


def _made(journal: Journal, noted: Origin | None) -> Mapping[str, str]:
    """Stacks and kinds that were made, or were to be."""
    known = {stack: success.kind for stack in journal.known_stacks() if (success := journal.success(stack))}
    return {**(noted.kinds if noted else {}), **known}


def _is_still_there(here: Origin, noted: Origin) -> bool:
    return here.host == noted.host and Path(noted.path).is_file()


def _refuse_if_anything_exists(run: Run, here: Origin, noted: Origin | None, difference: str) -> None:
    if not run.existing_stacks():
        return
    name = run.plan.environment.name
    source = noted.place if noted else "another file"
    raise OutsideError(
        f"this state has an environment {name} already, made from {source}: {difference}",
        code="state.another_file",
        where=here.path,
        hint="give this environment another name; --moved if it is the same one, whose file was moved and rewritten",
    )
