"""Where a lab lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra.errors import OutsideError
from aiinfra.lab.folders import check_path, lab_folder
from aiinfra.world import World


def a_world(home: Path) -> World:
    return replace(World.real(), environ={"XDG_STATE_HOME": str(home)})


def test_a_lab_lies_below_the_state_of_the_machine_under_a_name_that_tells(tmp_path: Path) -> None:
    folder = lab_folder(a_world(tmp_path), "dev", Path("/srv/environments/dev.yaml"))
    assert folder == tmp_path / "aiinfra" / "labs" / "dev-917f6f73"


def test_two_files_of_one_name_have_two_labs(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    assert lab_folder(world, "dev", Path("/a/dev.yaml")) != lab_folder(world, "dev", Path("/b/dev.yaml"))


def test_one_file_has_one_lab_however_it_is_named(tmp_path: Path) -> None:
    world, file = a_world(tmp_path), tmp_path / "dev.yaml"
    link = tmp_path / "other.yaml"
    link.symlink_to(file)
    assert lab_folder(world, "dev", link) == lab_folder(world, "dev", tmp_path / "sub" / ".." / "dev.yaml")


@pytest.mark.parametrize("odd", ["%", "?", "#", "\n"])
def test_a_path_that_the_url_of_a_state_cannot_hold_is_refused(odd: str) -> None:
    with pytest.raises(OutsideError) as caught:
        check_path(Path(f"/home/a{odd}b/labs/lab-1"))
    assert caught.value.record.code == "machine.folder"
    assert caught.value.record.message == (
        f"the folder for labs cannot be used: its path holds {odd!r}, which the URL of a state cannot"
    )
    check_path(Path("/home/a b ü'&/labs/lab-1"))
