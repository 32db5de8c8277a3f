"""What the README types works, and what it shows below a command is what the command says, times left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.integration.spine import readme
from tests.integration.spine.lab_site import place_example
from tests.integration.spine.readme import Typed, in_order, timeless
from tests.integration.spine.site import Site

pytestmark = [pytest.mark.engine, pytest.mark.lab]
STACKS = ("vgpu", "mig", "passthrough", "cluster", "nfd", "gpu-operator", "gpu-proof")
TRANSCRIPT = re.compile(r"(<!-- transcript -->\n```console\n)(.*?)(```\n<!-- end -->)", re.S)


@pytest.fixture
def site(make_site: Callable[..., Site], lab_servers: Mapping[str, Path]) -> Site:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(made)
    return made


def test_the_tour_is_true(site: Site, pytestconfig: pytest.Config) -> None:
    tour = readme.section("From a file to a GPU pod")
    said: dict[str, str] = {}
    try:
        for command in readme.typed(tour):
            done = site.run(*command.words[1:])
            assert done.returncode == _expected(command), f"{command.line}\n{done.stdout}{done.stderr}"
            said[command.line] = in_order(timeless(done.stdout), STACKS)
    finally:
        site.run("lab", "stop", "lab")
    written = TRANSCRIPT.sub(lambda block: block[1] + _filled(block[2], said) + block[3], tour)
    if pytestconfig.getoption("--update-golden"):
        readme.PATH.write_text(readme.PATH.read_text().replace(tour, written))
    assert readme.section("From a file to a GPU pod") == written


def _expected(command: Typed) -> int:
    return int(command.remark.removeprefix("exit ")) if command.remark.startswith("exit ") else 0


def _filled(block: str, said: Mapping[str, str]) -> str:
    """The commands of a block with what they said below each."""
    lines = re.findall(r"^\$ (.*)$", block, re.M)
    return "".join(f"$ {line}\n{said[line.partition('#')[0].strip()]}" for line in lines)
