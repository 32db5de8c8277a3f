"""`aiinfra toolchain verify`: what was installed is what is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.inspection import damage_error, verify_tools
from aiinfra.toolchain.record import record_path

Opened = Callable[..., Toolchain]


def message(toolchain: Toolchain) -> str:
    return str(damage_error(verify_tools(toolchain)))


def test_a_good_cache_has_no_fault(opened: Opened) -> None:
    opened().ensure(["ping", "pong"])
    rows = verify_tools(opened())
    assert [(row.name, row.place, row.fault) for row in rows] == [("ping", "cache", ""), ("pong", "cache", "")]
    assert damage_error(rows) is None


def test_nothing_to_verify_is_a_failure(opened: Opened) -> None:
    assert message(opened()) == "no program is installed, so there is nothing to verify"
    opened().ensure(opened().tools)
    assert damage_error(verify_tools(opened())) is None


def test_a_changed_program_is_named(opened: Opened) -> None:
    path = opened().ensure(["ping"])["ping"]
    with path.open("ab") as stream:
        stream.write(b"x")
    assert message(opened()) == f"{path} is not the file that was installed"
    shutil.rmtree(path.parent)
    opened().ensure(["ping"])
    assert damage_error(verify_tools(opened())) is None


def test_a_program_without_its_record_is_named(opened: Opened) -> None:
    path = opened().ensure(["ping"])["ping"]
    record_path(path).unlink()
    assert message(opened()) == f"{path} has no record"


def test_a_program_of_another_version_is_named(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    path = tmp_path / "named" / "ping"
    path.write_text("#!/bin/sh\necho ping 0.9.0\n")
    path.chmod(0o755)
    assert message(opened(directory=path.parent)) == f"{path} says 'ping 0.9.0', not 1.0.0"


def test_a_program_that_fails_is_named(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    path = tmp_path / "named" / "ping"
    path.write_text("#!/bin/sh\nexit 3\n")
    path.chmod(0o755)
    assert message(opened(directory=path.parent)) == f"{path} does not run: --version ended with 3"
