"""What the supervisor writes down of a lab, so that anybody can tell a live one from a dead one.

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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

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
"""The parts of one domain that answer, by name: what its server says of each, nothing secret."""


@dataclass(frozen=True, slots=True)
class LabRecord:
    """`lab.json`: written whole at each change by the supervisor, by nobody else."""

    generation: str
    """Random; another one means another world behind the same names."""
    host: str
    """Its machine; on another one nothing can be told of it."""
    boot: str
    pid: int
    started: int
    since: str
    """ISO 8601, UTC."""
    children: Sequence[ChildRecord] = ()
    domains: Mapping[str, Parts] = field(default_factory=dict)
    """By the name of the domain; one without parts was asked for, and has none yet."""
    ending: bool = False
    """It was told to stop, and its processes end."""

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The record; None when there is no lab. Raises `OutsideError` `lab.unreadable`."""
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
    def foreign(self) -> bool:
        """Whether another machine made it, in a folder that both see."""
        return self.host != socket.gethostname()

    @property
    def alive(self) -> bool:
        return not self.foreign and self.boot == boot_id() and self.supervisor.alive

    def survivors(self) -> Sequence[ChildRecord]:
        """Recorded children that still run."""
        here = not self.foreign and self.boot == boot_id()
        return [child for child in self.children if here and child.process.alive]

    def death(self) -> str:
        """Why the lab is dead, as the end of a sentence."""
        if self.foreign:
            return f"it was started on another machine, {self.host}"
        if self.boot != boot_id():
            return "the machine was restarted since"
        return f"its supervisor, pid {self.pid}, is gone"


def is_of(folder: Path, generation: str) -> bool:
    """Whether the lab in `folder` is that one. A record that cannot be read may be."""
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
