"""Look at what is installed, check it, and copy it to where there is no network."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.errors import ConfigError, OutsideError
from aiinfra.toolchain.digest import file_digest
from aiinfra.toolchain.plugins import Plugins
from aiinfra.toolchain.record import Record, copy_program, describe
from aiinfra.toolchain.table import Tool
from aiinfra.toolchain.toolchain import ReadyProgram, Toolchain

RUN_LIMIT = 20.0
"""Seconds a program may take to say its version."""


@dataclass(frozen=True, slots=True)
class Row:
    """One program as `list` and `verify` show it."""

    name: str
    version: str
    place: str
    """`folder`, `wheel`, `cache`; or how it would be installed: `release`, `build`."""
    path: str = ""
    fault: str = ""

    @property
    def ready(self) -> bool:
        return bool(self.path)

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"ready": self.ready}


def list_tools(toolchain: Toolchain) -> Sequence[Row]:
    """Return a row for each program: where it is, or how it would be installed."""
    return [_row(toolchain, tool) for tool in toolchain.tools.values()]


def verify_tools(toolchain: Toolchain) -> Sequence[Row]:
    """Hash each ready program against its record and run it; returns a row for each."""
    found = ((tool, toolchain.find(tool)) for tool in toolchain.tools.values())
    return [Row(t.name, t.version, f.place, str(f.path), _fault(t, f)) for t, f in found if f is not None]


def verify_plugins(plugins: Plugins) -> Sequence[Row]:
    """Hash each installed plugin against its record; returns a row for each."""
    records = ((path, Record.read(path)) for path in plugins.installed())
    return [Row(r.name, r.version, "cache", str(p), _changed(p, r)) for p, r in records if r is not None]


def damage_error(rows: Iterable[Row]) -> OutsideError | None:
    """Return the error for rows with faults, or for no rows at all; else None."""
    seen = list(rows)
    faults = [f"{row.path} {row.fault}" for row in seen if row.fault]
    if faults:
        hint = "remove the folder that holds it, then `aiinfra toolchain install`"
        return OutsideError("; ".join(faults), code="toolchain.damaged", hint=hint)
    if not seen:
        return OutsideError(
            "no program is installed, so there is nothing to verify",
            code="toolchain.damaged",
            hint="`aiinfra toolchain install` installs them",
        )
    return None


def mirror(toolchain: Toolchain, folder: Path, on_progress: Callable[[str], None]) -> Sequence[Path]:
    """Copy every program into `folder`, which then serves as `--toolchain` elsewhere.

    The usual ones are made ready first; those that only an option asks for are copied where they are ready.
    """
    if toolchain.directory == folder.absolute() and not _is_usable(toolchain):
        toolchain.directory = None
    ready = [name for name, tool in toolchain.tools.items() if not tool.on_demand or toolchain.find(tool)]
    programs = toolchain.ensure(ready, on_progress)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [
            _mirror_program(toolchain, toolchain.tools[name], program, folder) for name, program in programs.items()
        ]
    except OSError as error:
        raise OutsideError(
            f"cannot write the mirror {folder}: {error.strerror}",
            code="toolchain.cache",
            hint="name a folder that you may write to, with 1 GB free",
        ) from error


def _is_usable(toolchain: Toolchain) -> bool:
    """Whether the folder that AIINFRA_TOOLCHAIN names is there and of this version; else it is what is to be made."""
    try:
        return all(toolchain.find(tool) for tool in toolchain.tools.values())
    except ConfigError:
        return False


def _mirror_program(toolchain: Toolchain, tool: Tool, program: Path, folder: Path) -> Path:
    if Record.read(program) is not None:
        return copy_program(program, folder)
    copied = copy_program(program, folder, with_record=False)
    describe(copied, tool.version, toolchain.digests(tool)[-1], "folder")
    return copied


def _row(toolchain: Toolchain, tool: Tool) -> Row:
    found = toolchain.find(tool)
    if found is not None:
        return Row(tool.name, tool.version, found.place, str(found.path))
    return Row(tool.name, tool.version, "release" if toolchain.release(tool) else "build")


def _fault(tool: Tool, found: ReadyProgram) -> str:
    record = Record.read(found.path)
    if record is not None and (changed := _changed(found.path, record)):
        return changed
    if record is None and found.place == "cache":
        return "has no record"
    return _run_fault(tool, found.path)


def _changed(program: Path, record: Record) -> str:
    return "" if file_digest(program) == record.sha256 else "is not the file that was installed"


def _run_fault(tool: Tool, program: Path) -> str:
    try:
        result = subprocess.run(
            [str(program), tool.version_flag], capture_output=True, text=True, check=False, timeout=RUN_LIMIT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run: {error}"
    if result.returncode:
        return f"does not run: {tool.version_flag} ended with {result.returncode}"
    answer = (result.stdout + result.stderr).strip()
    return "" if tool.version in answer else f"says {answer.partition(chr(10))[0]!r}, not {tool.version}"
