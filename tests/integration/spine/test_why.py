"""`aiinfra why`: what is told of a stack after a failure, by the real command."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from aiinfra.waiting import Pending, Waiter
from tests.integration.spine.lab_site import place_example
from tests.integration.spine.site import Site

pytestmark = pytest.mark.engine
Make = Callable[..., Site]


def why(site: Site, *words: str) -> str:
    """What it says, times left out."""
    done = site.run("why", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(r"\b(just now|\d+ (s|min) ago)", "… ago", re.sub(r"\b\d+(\.\d+)? s\b(?! ago)", "… s", done.stdout))


def broken(site: Site, fail: str = "") -> None:
    first = {"kind": "things", "folder": str(site.things), "fail": fail}
    last = {"kind": "things", "folder": str(site.things), "after": "${first.last}"}
    site.write({"first": first, "last": last})


def test_a_failure_is_told_until_it_is_mended(make_site: Make) -> None:
    site = make_site({})
    site.things.mkdir()
    broken(site)
    assert why(site, "world", "first") == dedent("""\
        ○ first (things) is not created
          needed by last
          → aiinfra up world
        """)

    broken(site, "out of things")
    assert site.run("up", "world", "--yes").returncode == 4
    assert why(site, "world", "first") == dedent("""\
        ✗ first (things) failed … ago
          `up` failed after … s: out of things
          code test.failed
          needed by last
          → aiinfra up world
        """)
    assert why(site, "world", "last") == dedent("""\
        ○ last (things) is not created
          waits for first, which failed … ago: out of things
          → aiinfra why world first
        """)
    told = json.loads(site.run("why", "world", "first", "--output", "json").stdout)
    assert (told["why"]["stack"]["failure"]["error"]["code"], told["ways_out"]) == ("test.failed", ["aiinfra up world"])

    broken(site)
    assert site.run("up", "world", "--yes").returncode == 0
    assert why(site, "world", "last") == dedent("""\
        ✓ last (things) is up, last seen … ago
          needs first: up
        """)


def test_a_preview_that_fails_is_no_failure_of_the_stack(make_site: Make) -> None:
    site = make_site({"memo": {"kind": "things", "fail": "out of things"}})
    site.run("preview", "world")
    assert why(site, "world", "memo") == "○ memo (things) is not created\n  → aiinfra up world\n"


def test_a_stack_that_the_file_does_not_have_is_refused_with_the_nearest(make_site: Make) -> None:
    done = make_site({"first": {"kind": "things"}}).run("why", "world", "frist")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("✗ STACK: no stack is named frist\n  → did you mean first?\n")


def assert_said_while_it_runs(site: Site) -> None:
    """`why` in another terminal, which names no stack, tells what the running `up` waits for and why."""
    root = "← image nvcr.io/nvidia/k8s/container-toolkit:v1.20.0 does not exist"

    def ask() -> str | Pending:
        said = why(site, "lab")
        return said if root in said and "`up` runs for" in said else Pending(said)

    said = Waiter(limit=60, every=0.2).until(ask)
    assert said.startswith(
        "○ gpu-operator (gpu_operator) is being worked on by the run that holds the environment\n"
        "  `up` runs for … s, and has waited … s for ClusterPolicy cluster-policy: "
    )
    assert "  ← nvidia-container-toolkit-daemonset on gpu-0 and gpu-1: ImagePullBackOff\n" in said
    assert re.search(r"held by `aiinfra up lab` on \S+, pid \d+, begun … ago\n", said)
    assert "→ aiinfra up lab" not in said


@pytest.mark.lab
def test_a_failure_in_a_cluster_is_diagnosed_anew(make_site: Make, lab_servers: Mapping[str, Path]) -> None:
    site = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(site)
    try:
        assert site.run("up", "lab", "--until", "nfd").returncode == 0
        assert site.run("lab", "fault", "lab", "image-pull").returncode == 0
        with subprocess.Popen(
            site.command("up", "lab"),
            cwd=site.folder,
            env=site.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            assert_said_while_it_runs(site)
            assert running.wait(120) == 4
        failure = dedent("""\
            ✗ gpu-operator (gpu_operator) failed … ago
              `up` failed after … s: ClusterPolicy cluster-policy is not ready after … s
              ← nvidia-container-toolkit-daemonset on gpu-0 and gpu-1: ImagePullBackOff
              ← image nvcr.io/nvidia/k8s/container-toolkit:v1.20.0 does not exist
              code kube.not_ready
            """)
        way_out = "  → correct its name and version, or bring it into the registry\n  → aiinfra up lab\n"
        around = "  needs cluster, nfd: up\n  needed by gpu-proof\n"
        same = "  now cluster cluster answers, v1.36.3, and shows the same\n"
        assert why(site, "lab", "gpu-operator") == failure + same + around + way_out

        assert site.run("lab", "fault", "lab", "image-pull", "--lift").returncode == 0
        assert site.run("up", "lab").returncode == 0
        assert why(site, "lab", "gpu-operator") == (
            "✓ gpu-operator (gpu_operator) is up, last seen … ago\n  now cluster cluster answers, v1.36.3\n" + around
        )
    finally:
        site.run("lab", "stop", "lab")
