"""Where a lab lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aiinfra.lab.folders import lab_folder
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
