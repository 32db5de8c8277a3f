"""The plain `pulumi` works on our state: nobody is locked in, and there is a way out when aiinfra is not at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.spine.site import Site

pytestmark = [pytest.mark.interop, pytest.mark.engine]
Make = Callable[..., Site]


class PulumiCli:
    """`pulumi` on the state of a site, with `pulumi-resource-aiinfra` from PATH."""

    def __init__(self, program: Path, site: Site) -> None:
        self.program = program
        self.site = site

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.program), *arguments, "--non-interactive"],
            cwd=self.site.folder,
            env={
                **self.site.environ,
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "PULUMI_BACKEND_URL": f"file://{self.site.state}",
                "PULUMI_HOME": str(self.site.folder / "pulumi-home"),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments))


def test_the_plain_pulumi_lists_exports_reads_and_destroys_our_stacks(make_site: Make, pulumi: Path) -> None:
    site = make_site({})
    thing = {"kind": "things", "folder": str(site.things)}
    site.write({"a": thing, "b": {**thing, "after": "${a.last}"}})
    assert site.result("up")["exit_code"] == 0
    cli = PulumiCli(pulumi, site)
    listed = {row["name"].rpartition("/")[2]: row["name"] for row in cli.json("stack", "ls", "--all", "--json")}
    assert sorted(listed) == ["a", "b"]
    exported = cli.json("stack", "export", "--stack", listed["a"])
    kinds = sorted({r["type"] for r in exported["deployment"]["resources"] if not r["type"].startswith("pulumi:")})
    assert kinds == ["aiinfra:test:Thing"]
    assert cli.json("stack", "output", "--json", "--stack", listed["a"])["last"]
    assert [name.split("-")[0] for name in site.inventory()] == ["a", "a", "a", "b", "b", "b"]
    cli.run("destroy", "--yes", "--stack", listed["b"])
    assert [name.split("-")[0] for name in site.inventory()] == ["a", "a", "a"]
    cli.run("destroy", "--yes", "--stack", listed["a"])
    assert site.inventory() == []
