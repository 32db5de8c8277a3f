"""A chart that is a file, in a lab: what judged it is said, another file runs again, the official plugin can run."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.integration.charts.small_chart import FILES, NAME, VERSION, archive, in_folder
from tests.integration.spine.lab_site import processes_of
from tests.integration.spine.site import Site

pytestmark = [pytest.mark.engine, pytest.mark.lab]
STACKS = {"cluster": {"kind": "existing_cluster"}, "nfd": {"kind": "nfd", "cluster": "${cluster}"}}
REAL = f"nfd: Helm rendered the real chart {NAME} {VERSION} of "


def told(site: Site, *words: str) -> tuple[int, dict[str, Any]]:
    done = site.run(*words, "--output", "json")
    return done.returncode, json.loads(done.stdout)


def charted(make_site: Callable[..., Site]) -> Site:
    """A lab with one chart in a mirror beside the file."""
    site = make_site({}, environment="charted")
    in_folder(site.folder / "mirror")
    site.write(STACKS, target="lab", charts={"mirror": "mirror"})
    return site


def test_the_report_of_a_rehearsal_says_what_judged_the_chart(make_site: Callable[..., Site]) -> None:
    site = charted(make_site)
    code, report = told(site, "rehearse", "charted")

    assert (code, report["passed"]) == (0, True), report
    real, tried = report["packages"]
    assert real.startswith(f"{REAL}{site.folder}/mirror/{NAME}-{VERSION}.tgz, sha256:")
    assert tried == (
        f"nfd: the API server of cluster accepts 2 of 2 objects of the chart {NAME} {VERSION}; "
        "1 is of a kind that it does not serve yet"
    )

    in_folder(site.folder / "mirror", {"templates/deployment.yaml": FILES["templates/deployment.yaml"].replace("replicas:", "replicaz:")})  # fmt: skip
    code, report = told(site, "rehearse", "charted")
    (error,) = report["errors"]
    assert code == 2
    assert error["code"] == "config.package"
    assert f"chart {NAME} {VERSION} makes Deployment {NAME}-master, which the API server refuses" in error["message"]
    assert "replicaz" in error["message"]
    assert processes_of(site.folder) == []


def test_a_chart_that_is_another_file_runs_again_and_a_misspelt_value_runs_nothing(
    make_site: Callable[..., Site],
) -> None:
    site = charted(make_site)
    assert told(site, "up", "charted", "--yes")[0] == 0
    unchanged = told(site, "up", "charted", "--yes")[1]
    (site.folder / "mirror" / f"{NAME}-{VERSION}.tgz").write_bytes(
        archive({"values.yaml": FILES["values.yaml"] + "\n"})
    )
    changed = told(site, "up", "charted", "--yes")[1]
    site.write({**STACKS, "nfd": {**STACKS["nfd"], "values": {"worker": {"tolerationz": []}}}}, target="lab", charts={"mirror": "mirror"})  # fmt: skip
    code, refused = told(site, "up", "charted", "--yes")
    (site.folder / "mirror" / f"{NAME}-{VERSION}.tgz").unlink()
    site.write(STACKS, target="lab", charts={"mirror": "mirror"})
    refreshed, destroyed = told(site, "refresh", "charted"), told(site, "destroy", "charted", "--yes")

    assert outcomes(unchanged) == {"cluster": "unchanged", "nfd": "unchanged"}
    assert outcomes(changed) == {"cluster": "unchanged", "nfd": "changed"}
    assert (code, [error["code"] for error in refused["errors"]]) == (2, ["config.rule"])
    assert (refreshed[0], destroyed[0]) == (0, 0), destroyed[1]


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {one["stack"]: one["outcome"] for one in report["results"]}


def test_a_rehearsal_lets_the_official_plugin_run_where_it_is_installed(make_site: Callable[..., Site]) -> None:
    site = charted(make_site)
    missing = site.run("rehearse", "charted", "--official-plugins")
    cache = Path(site.environ["HOME"]) / ".cache"
    plugin = (
        cache / f"aiinfra/pulumi/plugins/resource-kubernetes-v{version('pulumi-kubernetes')}/pulumi-resource-kubernetes"
    )

    assert missing.returncode == 3
    assert f"{plugin} does not exist" in missing.stderr

    plugin.parent.mkdir(parents=True)
    plugin.write_text(f"#!/bin/sh\necho ran >{site.folder}/ran\necho this is no provider >&2\nexit 1\n")
    plugin.chmod(0o755)
    code, report = told(site, "rehearse", "charted", "--official-plugins")

    assert code == 4
    assert (site.folder / "ran").read_text() == "ran\n"
    assert report["packages"][-1] == f"provider kubernetes: the official plugin {version('pulumi-kubernetes')} ran"
    assert not any("provider is a stand-in" in sentence for sentence in report["simulated"])
