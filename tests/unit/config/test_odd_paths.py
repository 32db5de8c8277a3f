"""Paths that make the operating system refuse."""

from __future__ import annotations

import os

import pytest

from aiinfra.catalog import Catalog
from tests.unit.site import GOOD, Site

LONG = "a" * 5000


@pytest.mark.parametrize(
    ("env", "says"),
    [
        (LONG, f"no environment is named {LONG}: looked for {LONG}.yaml in ./, ./environments, ./examples and the installed examples"),
        (f"{LONG}.yaml", f"there is no file {LONG}.yaml"),
        ("site.yaml/x.yaml", "there is no file site.yaml/x.yaml"),
        ("", "no environment is named : looked for .yaml in ./, ./environments, ./examples and the installed examples"),
    ],
)  # fmt: skip
def test_an_env_that_no_file_can_be(site: Site, env: str, says: str) -> None:
    assert [one.partition(" (")[0] for one in site.says(env)] == [says]


@pytest.mark.parametrize(
    ("base", "says"),
    [
        (LONG, f"site.yaml:1:11: extends[0]: {LONG} cannot be read: File name too long"),
        ("_loop.yaml", "site.yaml:1:11: extends[0]: _loop.yaml cannot be read: Too many levels of symbolic links"),
        ("site.yaml/x", "site.yaml:1:11: extends[0]: site.yaml/x cannot be read: Not a directory"),
    ],
)
def test_a_base_that_no_file_can_be(site: Site, base: str, says: str) -> None:
    (site.folder / "_loop.yaml").symlink_to("_loop.yaml")
    site.write("site.yaml", f"extends: [{base}]\n{GOOD}")
    assert site.says() == [says]


def test_a_file_that_is_its_own_link(site: Site) -> None:
    (site.folder / "loop.yaml").symlink_to("loop.yaml")
    assert site.says("loop.yaml") == ["there is no file loop.yaml (known are site.yaml)"]


def test_a_folder_is_no_environment_and_is_not_offered_as_one(site: Site) -> None:
    site.write("sub/site.yaml", GOOD)
    (site.folder / "dir.yaml").mkdir()
    assert site.says("sub")[0].endswith(" (sub is a folder: name a file in it)")
    assert "dir" not in site.says("nothing-like-it")[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_rights(site: Site) -> None:
    site.write("closed/site.yaml", GOOD)
    (site.folder / "closed").chmod(0)
    assert site.says("closed/site.yaml") == ["there is no file closed/site.yaml ()"]


def test_odd_entries_of_the_module_path_hide_no_kind(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = site.folder / "x-1.dist-info" / "entry_points.txt"
    broken.mkdir(parents=True)
    for entry in (str(site.folder), LONG, ""):
        monkeypatch.syspath_prepend(entry)
    assert "nfd" in Catalog.installed()
