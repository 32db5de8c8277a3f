"""Reading secret sources: all at once, each missing one named where it is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.errors import ConfigError
from aiinfra.plan.secrets import read_secrets
from aiinfra.stack import SecretSource
from tests.unit.site import GOOD, Site, a_world


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.write("envs/site.yaml", GOOD)
    return made


def read(site: Site, source: str) -> str:
    site.write("envs/site.yaml", GOOD + f"    password: ${{{source}}}\n")
    loaded = site.load("envs/site.yaml")
    values = read_secrets(loaded.plan, a_world(site.folder, site.environ), loaded.path, where=loaded.where)
    return next(iter(values.values()))


def says(site: Site, source: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(site, source)
    assert {problem.code for problem in caught.value.problems} == {"config.secret_missing"}
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("content", "value"),
    [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("a\nb\n\n", "a\nb\n"), (" x ", " x ")],
)
def test_a_file_is_text_without_one_line_end(site: Site, content: str, value: str) -> None:
    site.write("envs/key", content)
    assert read(site, "file:key") == value


def test_a_file_may_be_at_home_or_anywhere(site: Site) -> None:
    site.write("home/key", "home")
    path = site.write("other/key", "other")
    assert read(site, "file:~/key") == "home"
    assert read(site, f"file:{path}") == "other"
    assert read(site, "file:../other/key") == "other"


def test_a_variable(site: Site) -> None:
    site.environ["P"] = "s3cret"
    assert read(site, "env:P") == "s3cret"


def test_what_is_missing_is_said_where_it_is_used(site: Site) -> None:
    place = "envs/site.yaml:9:15: stacks.app.password: "
    folder = site.folder / "envs"
    site.environ["EMPTY"] = ""
    site.write("envs/empty", "\n")
    site.write("envs/binary", b"\xff\xfe")
    site.write("envs/huge", "x" * ((1 << 20) + 1))
    assert says(site, "env:NOPE") == [place + "the environment variable NOPE is not set (export NOPE=…)"]
    assert says(site, "env:EMPTY") == [place + "the environment variable EMPTY is empty (export EMPTY=…)"]
    assert says(site, "file:nope") == [place + f"the file {folder}/nope does not exist"]
    assert says(site, "file:empty") == [place + f"the file {folder}/empty is empty"]
    assert says(site, "file:binary") == [place + f"the file {folder}/binary is not UTF-8 text"]
    assert says(site, "file:huge") == [place + f"the file {folder}/huge is larger than 1 MiB, too large for a secret"]
    assert says(site, "file:.") == [place + f"the file {folder} cannot be read: Is a directory"]


def test_all_that_are_missing_are_said_at_once(site: Site) -> None:
    lines = "    password: ${env:A}\n    title: ${file:b}\nvcenter: {host: h, user: '${env:A}', password: '${env:C}'}\n"
    site.write("envs/site.yaml", GOOD + lines)
    loaded = site.load("envs/site.yaml")
    with pytest.raises(ConfigError) as caught:
        read_secrets(loaded.plan, a_world(site.folder), loaded.path, where=loaded.where)
    assert [problem.path for problem in caught.value.problems] == [
        "vcenter.user", "vcenter.password", "stacks.app.password", "stacks.app.title",
    ]  # fmt: skip


def test_an_opener_stands_for_the_machine(site: Site) -> None:
    site.write("envs/site.yaml", GOOD + "    password: ${env:A}\n")
    loaded = site.load("envs/site.yaml")
    found = read_secrets(loaded.plan, a_world(site.folder), loaded.path, opener=lambda source: f"canary {source.name}")
    assert found == {SecretSource("env", "A"): "canary A"}
