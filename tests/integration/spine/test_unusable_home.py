"""A home, or one of the folders below it, that cannot be used: said before anything is begun."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.spine.lab_site import place_example
from tests.integration.spine.site import Site

Make = Callable[..., Site]


@pytest.fixture
def site(make_site: Make) -> Site:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(made)
    return made


def with_environ(site: Site, **more: str) -> Site:
    return replace(site, environ={**site.environ, **more})


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("up", "lab"), "/labs: the folder for labs cannot be used: Not a directory"),
        (("preview", "lab"), "/logs: the folder for logs cannot be used: Not a directory"),
        (("rehearse", "lab"), "/rehearsals: no folder for a rehearsal can be made: Not a directory"),
    ],
)
def test_a_home_that_is_no_folder_is_named_with_a_way_out(site: Site, words: tuple[str, ...], what: str) -> None:
    done = with_environ(site, HOME="/dev/null").run(*words)
    assert done.returncode == 3
    assert done.stderr.startswith(f"✗ /dev/null/.local/state/aiinfra{what}\n")
    assert "set XDG_STATE_HOME to a folder that " in done.stderr
    assert done.stdout == ""


def test_where_no_lab_can_be_nothing_stands(site: Site) -> None:
    homeless = with_environ(site, HOME="/dev/null")
    told = homeless.run("status", "lab")
    assert told.returncode == 0
    assert told.stdout.startswith("lab · lab (does not run)\n")
    assert homeless.result("destroy")["nothing_left"] == ["no lab runs: 0 processes, 0 files, 0 stacks"]


def test_doctor_names_folders_that_cannot_be_used(site: Site) -> None:
    file = site.folder / "file"
    file.touch()
    done = with_environ(site, XDG_STATE_HOME=str(file), XDG_CACHE_HOME=str(file)).run("doctor", "lab", "-o", "json")
    assert done.returncode == 3
    errors = json.loads(done.stdout)["errors"]
    assert [(error["where"], error["code"]) for error in errors] == [
        (f"machine: {file}/aiinfra", "machine.folder"),
        (f"machine: {file}/aiinfra", "machine.folder"),
    ]


def test_without_home_the_account_says_where_it_is(site: Site, tmp_path: Path) -> None:
    kept = {key: value for key, value in site.environ.items() if key != "HOME"}
    stray = replace(site, environ={**kept, "XDG_STATE_HOME": str(tmp_path / "state")})
    assert stray.run("status", "lab").returncode == 0


def test_a_relative_base_folder_counts_as_none(site: Site) -> None:
    assert with_environ(site, XDG_STATE_HOME="here", XDG_CACHE_HOME="there").run("preview", "lab").returncode == 0
    assert not (site.folder / "here").exists()
    assert not (site.folder / "there").exists()


def test_a_disk_without_the_space_for_a_lab_is_named_before_anything_is_started(site: Site) -> None:
    small = site.folder / "small"
    small.mkdir()
    script = f"mount -t tmpfs -o size=20m none {small} || exit 77; {' '.join(site.command('up', 'lab'))}; rc=$?; find {small}; exit $rc"
    done = subprocess.run(
        ("unshare", "-rm", "sh", "-c", script),
        cwd=site.folder,
        env={**site.environ, "XDG_STATE_HOME": str(small)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this machine gives no mount namespace")
    assert done.returncode == 3
    assert "the lab's folder cannot be used: 20 MiB are free and 256 MiB are needed\n" in done.stderr
    assert done.stdout.splitlines() == [str(small), f"{small}/aiinfra", f"{small}/aiinfra/labs"]
