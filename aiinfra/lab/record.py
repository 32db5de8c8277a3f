"""What the supervisor records of a lab, so that any process can tell a live lab from a dead one.

Read on every command: no heavy import, two small files of /proc. A pid alone proves nothing (pids are used again), so
each process is recorded with its start time, and all of them with the boot id of the machine.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, field
from pathlib import Path
from typing import Any, Final, Self

from aiinfra.dataclass import dataclass
from aiinfra.disk import folder_errors
from aiinfra.engine.lock import Process, boot_id
from aiinfra.errors import OutsideError

RECORD: Final = "lab.json"
VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class ChildRecord:
    """One process that the supervisor owns: `database`, `dc1/server`."""

    name: str
    pid: int
    started: int

    @property
    def process(self) -> Process:
        return Process(self.pid, self.started)


Parts = Mapping[str, Mapping[str, Any]]
"""The parts of one domain that answer, by name, with what its server records of each; nothing secret."""


@dataclass(frozen=True, slots=True)
class LabRecord:
    """`lab.json`: written whole at each change by the supervisor, by nobody else."""

    generation: str
    """A random identity; another one means another world behind the same names."""
    host: str
    """Name of the machine that runs it; other machines cannot see whether it lives."""
    boot: str
    pid: int
    started: int
    since: str
    """When it was started: ISO 8601, UTC."""
    children: Sequence[ChildRecord] = ()
    domains: Mapping[str, Parts] = field(default_factory=dict)
    """Parts by the name of the domain; a domain without parts has none yet."""
    ending: bool = False
    """Whether it was asked to stop, and its processes are ending."""

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the record; None when there is no lab. Raises `OutsideError` `lab.unreadable`."""
        try:
            with folder_errors("the lab's folder", folder), suppress(FileNotFoundError, NotADirectoryError):
                return cls._of(json.loads((folder / RECORD).read_text()))
        except (ValueError, KeyError, TypeError) as error:
            raise OutsideError(
                f"{folder / RECORD} cannot be read: it is damaged, or of another version of aiinfra",
                code="lab.unreadable",
                where="lab",
                hint="delete the folder of the lab; its processes end by themselves",
            ) from error
        return None

    @classmethod
    def _of(cls, raw: Mapping[str, Any]) -> Self:
        given = {key: value for key, value in raw.items() if key != "version"}
        if raw["version"] != VERSION:
            raise ValueError(raw["version"])
        given["children"] = tuple(ChildRecord(**child) for child in raw["children"])
        return cls(**given)

    def write(self, folder: Path) -> None:
        write_atomic(folder / RECORD, json.dumps({"version": VERSION, **asdict(self)}, indent=1))

    @property
    def supervisor(self) -> Process:
        return Process(self.pid, self.started)

    @property
    def on_other_machine(self) -> bool:
        """Whether another machine made it, in a folder that both share."""
        return self.host != socket.gethostname()

    @property
    def alive(self) -> bool:
        return not self.on_other_machine and self.boot == boot_id() and self.supervisor.alive

    def survivors(self) -> Sequence[ChildRecord]:
        """Return the recorded children that still run."""
        here = not self.on_other_machine and self.boot == boot_id()
        return [child for child in self.children if here and child.process.alive]

    def death(self) -> str:
        """Return why the lab is dead, as the end of a sentence."""
        if self.on_other_machine:
            return f"it was started on another machine, {self.host}"
        if self.boot != boot_id():
            return "the machine was restarted since"
        return f"its supervisor, pid {self.pid}, is gone"


def is_of(folder: Path, generation: str) -> bool:
    """Whether the lab in `folder` has this generation; also true when its record cannot be read."""
    try:
        record = LabRecord.read(folder)
    except OutsideError:
        return True
    return record is not None and record.generation == generation


def write_atomic(path: Path, text: str) -> None:
    """Write a file that is complete or absent, readable by its owner alone."""
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
