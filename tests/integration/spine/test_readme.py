"""The README's transcript is what the command says, times left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.integration.spine.lab_site import place_example
from tests.integration.spine.site import Site

pytestmark = [pytest.mark.engine, pytest.mark.lab]
README = Path(__file__).parents[3] / "README.md"
BLOCK = re.compile(r"(<!-- transcript: up lab -->\n```console\n)(.*?)(```\n<!-- end -->)", re.S)
VARYING = ((re.compile(r"\b\d+(\.\d+)? s\b|\b\d+m\d\d\b"), "… s"), (re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+"), "…"))


def steady(transcript: str) -> str:
    """Without times, waiting lines (how many there are depends on the machine), and the order of parallel stacks."""
    lines = [line for line in transcript.splitlines() if not re.search(r"\| (waiting|still|waits)", line)]
    text = "\n".join(lines) + "\n"
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return text


def test_the_transcript_of_up_lab_is_true(
    make_site: Callable[..., Site], lab_servers: Mapping[str, Path], pytestconfig: pytest.Config
) -> None:
    site = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(site)
    try:
        done = site.run("up", "lab", "--yes")
    finally:
        site.run("destroy", "lab", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    said = "$ aiinfra up lab --yes\n" + steady(done.stdout)
    readme = README.read_text()
    if pytestconfig.getoption("--update-golden"):
        README.write_text(BLOCK.sub(lambda found: found[1] + said + found[3], readme))
    shown = BLOCK.search(README.read_text())
    assert shown is not None
    assert shown[2] == said
