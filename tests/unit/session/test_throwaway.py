"""Folders of rehearsals: gone at the end, gone after a kill, never taken from a living owner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aiinfra.errors import OutsideError
from aiinfra.session.rehearsal.throwaway import throwaway_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from aiinfra.session.rehearsal.throwaway import throwaway_folder
with throwaway_folder(Path(sys.argv[1]), "site", print) as folder:
    folder.mkdir()
    (folder / "left").write_text("")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_is_gone_when_it_is_left(tmp_path: Path) -> None:
    root = tmp_path / "rehearsals"
    with throwaway_folder(root, "site", print) as folder:
        folder.mkdir()
        assert folder.name == "site"
    assert list(root.iterdir()) == []


def test_what_a_killed_rehearsal_left_goes_with_the_next_one(tmp_path: Path) -> None:
    environ = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environ, check=False)
    (left,) = tmp_path.iterdir()
    said: list[str] = []
    with throwaway_folder(tmp_path, "other", said.append):
        assert not left.exists()
    assert said == [f"removed what an interrupted rehearsal left: {left.name}"]


def test_a_living_rehearsal_keeps_its_folder(tmp_path: Path) -> None:
    with throwaway_folder(tmp_path, "site", print) as folder:
        folder.mkdir()
        with throwaway_folder(tmp_path, "site", pytest.fail):
            assert folder.exists()
        assert folder.exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "rehearsals").write_text("a file")
    with (
        pytest.raises(OutsideError, match="no folder for a rehearsal can be made") as raised,
        throwaway_folder(tmp_path / "rehearsals", "site", print),
    ):
        pytest.fail("it was entered")
    assert raised.value.record.code == "rehearsal.folder"
