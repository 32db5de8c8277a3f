"""What is known of an installed program: one JSON file beside it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.toolchain.digest import file_digest


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a program: written beside it when it was installed or mirrored."""

    name: str
    version: str
    digest: str
    """Of what it was built from, or the checksum of its release."""
    sha256: str
    """Of the program itself."""
    origin: str
    """`built` or the release's URL."""

    @classmethod
    def read(cls, program: Path) -> Record | None:
        """Return the record beside `program`; None when there is none that can be read."""
        try:
            return cls(**json.loads(record_path(program).read_text()))
        except (OSError, ValueError, TypeError):
            return None


def record_path(program: Path) -> Path:
    return program.with_name(f"{program.name}.json")


def describe(program: Path, version: str, digest: str, origin: str) -> Record:
    """Make `program` executable and write its record beside it."""
    program.chmod(0o755)
    record = Record(program.name, version, digest, file_digest(program), origin)
    record_path(program).write_text(json.dumps(asdict(record), indent=2) + "\n")
    return record


def copy_program(program: Path, folder: Path, *, with_record: bool = True) -> Path:
    """Copy a program, and its record if asked, into `folder`, each by rename."""
    for source, mode in ((program, 0o755), (record_path(program), 0o644))[: 1 + with_record]:
        fresh = folder / f".{source.name}.{os.getpid()}"
        shutil.copyfile(source, fresh)
        fresh.chmod(mode)
        fresh.replace(folder / source.name)
    return folder / program.name
