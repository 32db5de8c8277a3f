"""Which file ENV means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.site import GOOD, Site


@pytest.mark.parametrize("folder", [".", "environments", "examples"])
def test_a_name_is_looked_up_in_folders(tmp_path: Path, folder: str) -> None:
    site = Site(tmp_path)
    path = site.write(f"{folder}/site.yaml", GOOD)
    assert site.load("site").path == path


def test_a_path_may_have_the_other_suffix_and_begin_at_home(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("home/site.yml", GOOD)
    assert site.load("~/site.yml").environment.name == "site"


def test_examples_of_the_installation_are_found_anywhere(tmp_path: Path) -> None:
    assert Site(tmp_path).says("lab")[0].startswith("/")


def test_a_name_that_may_mean_two_files_is_refused(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("site.yaml", GOOD)
    site.write("environments/site.yaml", GOOD)
    assert site.says("site") == ["site may mean site.yaml and environments/site.yaml (give the path)"]
    (tmp_path / "environments/site.yaml").rename(tmp_path / "site.yml")
    assert site.says("site") == ["site may mean site.yaml and site.yml (remove one of them)"]


def test_a_name_that_is_nowhere_is_told_with_the_places_and_the_nearest(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("environments/dublin.yaml", GOOD)
    assert site.says("dubln") == [
        "no environment is named dubln: looked for dubln.yaml in ./, ./environments, ./examples and the installed "
        "examples (did you mean dublin?)"
    ]


def test_a_path_that_does_not_exist_is_told_with_the_nearest(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("environments/dublin.yaml", GOOD)
    assert site.says("environments/dubln.yaml") == [
        "there is no file environments/dubln.yaml (did you mean environments/dublin.yaml?)"
    ]
    assert site.says("nowhere/x.yaml") == ["there is no file nowhere/x.yaml ()"]
