"""Helm renders the real chart, wherever the file says that it is, and judges the values that it gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.integration.charts.small_chart import NAME, VERSION, in_folder, served
from tests.integration.vsphere.fronts import Authority

pytestmark = [pytest.mark.engine]
REAL = f"nfd: Helm rendered the real chart {NAME} {VERSION} of "
MADE = "2 objects, 1 of hooks, 1 definition"
ACCOUNT = {"user": "robot", "password": "${env:CHARTS_PASSWORD}"}


class Charts:
    """An environment with one chart, and what `validate --charts` says of it."""

    def __init__(self, folder: Path, toolchain: Mapping[str, Path]) -> None:
        self.folder = folder
        tools = folder / "tools"
        tools.mkdir()
        (tools / "aiinfra-helm").symlink_to(toolchain["aiinfra-helm"])
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "AIINFRA_TOOLCHAIN": str(tools)}

    def write(self, nfd: dict[str, Any] | None = None, **more: Any) -> None:
        stacks = {
            "cluster": {"kind": "existing_cluster", "kubeconfig": "${file:kubeconfig}"},
            "nfd": {"kind": "nfd", "cluster": "${cluster}", **(nfd or {})},
        }
        with (self.folder / "site.yaml").open("w") as file:
            YAML(typ="safe").dump({"version": "v1", "name": "site", "target": "real", **more, "stacks": stacks}, file)

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aiinfra", *words]
        return subprocess.run(
            command, cwd=self.folder, env={**self.environ, **environ}, capture_output=True, text=True, check=False
        )

    def said(self, **environ: str) -> tuple[int, str]:
        """Exit code, and what is said first; of a problem, its path and message."""
        done = self.run("validate", "site", "--charts", "--output", "json", **environ)
        told = json.loads(done.stdout)
        if done.returncode:
            return done.returncode, "\n".join(
                f"{e['where'].partition(': ')[2] or e['where']}: {e['message']}" for e in told["errors"]
            )
        return 0, told["packages"][0]


@pytest.fixture
def charts(tmp_path: Path, toolchain: Mapping[str, Path]) -> Charts:
    return Charts(tmp_path, toolchain)


def test_a_chart_in_a_folder_is_rendered(charts: Charts) -> None:
    path = in_folder(charts.folder / "mirror")
    charts.write(charts={"mirror": "mirror"})
    code, said = charts.said()

    assert code == 0
    assert said.startswith(f"{REAL}{path}, sha256:")
    assert said.endswith(MADE)


def test_a_chart_in_a_repository_needs_the_account_of_the_file(charts: Charts) -> None:
    with served(account="robot:hunter22") as address:
        charts.write(charts={"mirror": f"http://{address}", "credentials": ACCOUNT})
        good, bad, none = charts.said(CHARTS_PASSWORD="hunter22"), charts.said(CHARTS_PASSWORD="wrong"), charts.said()

    assert (good[0], good[1].startswith(f"{REAL}http://{address}, sha256:")) == (0, True)
    refused = f"nfd: chart {NAME} {VERSION} cannot be had: http://{address}/index.yaml answers 401 Unauthorized"
    assert bad == (3, refused)
    assert none == (2, "charts.credentials.password: the environment variable CHARTS_PASSWORD is not set")


def test_a_chart_in_a_registry_is_pulled_over_tls_by_the_authority_of_the_file(charts: Charts) -> None:
    authority = Authority(charts.folder)
    with served(authority.server(), account="robot:hunter22") as address:
        source = {"mirror": f"oci://{address}/charts", "ca": "ca.pem", "credentials": ACCOUNT}
        (charts.folder / "ca.pem").write_text(authority.pem)
        charts.write(charts=source)
        good = charts.said(CHARTS_PASSWORD="hunter22")
        del source["ca"]
        charts.write(charts=source)
        untrusted = charts.said(CHARTS_PASSWORD="hunter22")

    assert (good[0], good[1].startswith(f"{REAL}oci://{address}/charts/{NAME}, sha256:")) == (0, True), good
    assert untrusted[0] == 3
    assert untrusted[1].startswith(f"nfd: chart {NAME} {VERSION} cannot be had: oci://{address}/charts/{NAME} ")
    assert "certificate" in untrusted[1]


def test_a_source_that_answers_and_has_no_such_chart_is_a_problem_of_the_file(charts: Charts) -> None:
    authority = Authority(charts.folder)
    (charts.folder / "ca.pem").write_text(authority.pem)
    with served(authority.server()) as address:
        source = f"oci://{address}/charts"
        charts.write({"version": "0.20.0"}, charts={"mirror": source, "ca": "ca.pem"})
        registry = charts.said()
    with served() as address:
        charts.write({"version": "0.20.0"}, charts={"mirror": f"http://{address}"})
        repository = charts.said()
        charts.write({"version": "0.20.0"}, charts={"mirror": f"http://{address}/none"})
        none = charts.said()

    at = "stacks.nfd.charts.mirror"
    assert registry == (2, f"{at}: {source}/{NAME} has no version 0.20.0")
    assert repository == (2, f"{at}: the repository http://{address} has no chart {NAME} 0.20.0")
    assert none == (2, f"{at}: http://{address}/none/index.yaml answers 404 Not Found")


def test_what_is_no_chart_is_said_of_the_file_that_is_named(charts: Charts) -> None:
    (charts.folder / "page.tgz").write_text("<html>log in</html>")
    charts.write({"chart": "page.tgz"})

    assert charts.said() == (2, f"stacks.nfd.chart: {charts.folder}/page.tgz is no chart: gzip: invalid header")


def test_a_mirror_has_the_charts_of_another_source_and_names_the_images(charts: Charts) -> None:
    images = {"registry": "corp.example"}
    with served() as address:
        charts.write(charts={"mirror": f"http://{address}", "images": images})
        made = charts.run("charts", "mirror", "site", "mirror")
    charts.write(charts={"mirror": "mirror"})

    path = charts.folder / "mirror" / f"{NAME}-{VERSION}.tgz"
    assert made.stdout == f"{path}\n1 image:\n  registry.k8s.io/nfd/node-feature-discovery:v1\n", made.stderr
    assert charts.said()[1].startswith(f"{REAL}{path}, sha256:")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"image": {"tga": "v2"}}, "values.image.tga: chart {of} has no use for image.tga"),
        ({"debug": True, "replicas": 2}, "values: chart {of} refuses: debug wants one replica"),
        (
            {"replicas": "two"},
            "values: chart {of} does not accept the values: node-feature-discovery:; at '/replicas': got string, want integer",
        ),
        (
            {"mode": "never"},
            "values: chart {of} makes an object that its own definition refuses: Thing one: spec.mode is never, and may "
            "be: auto, manual",
        ),
    ],
)
def test_a_value_that_the_chart_refuses_or_has_no_use_for(charts: Charts, values: dict[str, Any], says: str) -> None:
    in_folder(charts.folder / "mirror", {"Chart.yaml": f"apiVersion: v2\nname: {NAME}\nversion: 0.20.0\n"})
    charts.write({"chart": f"mirror/{NAME}-{VERSION}.tgz", "version": "0.20.0", "values": values})

    assert charts.said() == (2, f"stacks.nfd.{says.format(of=f'{NAME} 0.20.0')}")


@pytest.mark.parametrize("values", [{"hostNetwork": True}, {"extra": {"command": ["x"]}}, {"mode": "manual"}])
def test_values_that_only_templates_know_are_used(charts: Charts, values: dict[str, Any]) -> None:
    in_folder(charts.folder / "mirror", {"Chart.yaml": f"apiVersion: v2\nname: {NAME}\nversion: 0.20.0\n"})
    charts.write({"chart": f"mirror/{NAME}-{VERSION}.tgz", "version": "0.20.0", "values": values})

    assert charts.said()[0] == 0


def test_an_archive_of_another_version_or_chart_is_refused(charts: Charts) -> None:
    in_folder(charts.folder / "mirror")
    charts.write({"chart": f"mirror/{NAME}-{VERSION}.tgz", "version": "0.20.0"})

    assert charts.said() == (2, f"stacks.nfd.version: {NAME}-{VERSION}.tgz is version {VERSION}")

    in_folder(charts.folder / "mirror", {"Chart.yaml": "apiVersion: v2\nname: other\nversion: 1.0.0\n"})
    assert charts.said() == (2, f"stacks.nfd.chart: {NAME}-{VERSION}.tgz is the chart other, not {NAME}")


def test_a_chart_that_is_not_there_is_a_problem_of_the_file_also_without_helm(charts: Charts) -> None:
    charts.write(charts={"mirror": "mirror"})
    done = charts.run("validate", "site")

    assert done.returncode == 2
    hint = f"(on a connected machine, aiinfra charts mirror ENV {charts.folder}/mirror fetches it)"
    assert f"{charts.folder}/mirror/{NAME}-{VERSION}.tgz does not exist {hint}" in done.stderr
    assert done.stderr.startswith("site.yaml:")


def test_a_mirror_of_no_chart_is_no_folder(charts: Charts) -> None:
    stack = "{kind: existing_cluster}"
    (charts.folder / "bare.yaml").write_text(f"version: v1\nname: bare\ntarget: lab\nstacks: {{cluster: {stack}}}\n")
    made = charts.run("charts", "mirror", "bare", "mirror")

    assert (made.returncode, made.stdout) == (0, "bare installs no chart\n"), made.stderr
    assert not (charts.folder / "mirror").exists()


def test_render_writes_what_the_chart_makes(charts: Charts) -> None:
    in_folder(charts.folder / "mirror")
    charts.write(charts={"mirror": "mirror"})
    assert charts.run("render", "site", "--charts", "--out", "out").returncode == 0

    found = sorted(path.name for path in (charts.folder / "out" / "nfd").iterdir())
    assert found == [
        "01-namespace-node-feature-discovery.yaml",
        "02-helm-release-node-feature-discovery.yaml",
        "03-deployment-node-feature-discovery-master.yaml",
        "04-thing-one.yaml",
        "05-configmap-after.yaml",
    ]
    text = (charts.folder / "out" / "nfd" / found[2]).read_text()
    assert f"# Made by the chart {NAME} {VERSION}, as it renders it." in text
    assert "image: registry.k8s.io/nfd/node-feature-discovery:v1" in text
