"""Where the charts and images of a stack come from, as the file says it and as its release gets it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.domains.kubernetes.charts.sources import to_be_mirrored
from aiinfra.errors import ConfigError
from aiinfra.plan.files import check_files
from aiinfra.render.rendering import render_texts
from aiinfra.stack import StackName, UsedFile, UsesFiles
from aiinfra.world import World

CLUSTER = {"kind": "existing_cluster"}
NFD = {"kind": "nfd", "cluster": "${cluster}"}
ACCOUNT = {"user": "robot", "password": "${env:CHARTS_PASSWORD}"}


def write(folder: Path, stacks: dict[str, Any], **more: Any) -> Path:
    path = folder / "site.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(
            {"version": "v1", "name": "site", "target": "lab", **more, "stacks": {"cluster": CLUSTER, **stacks}}, file
        )
    return path


def released(folder: Path, stack: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The documents of one stack: the release, and by kind what is applied before it."""
    path = write(folder, {"nfd": NFD, "app": stack}, **more)
    loaded = load_environment(str(path), world=World.real(), catalog=Catalog.installed())
    found = [YAML(typ="safe").load(t) for t in render_texts(loaded.plan, [StackName("app")], folder)["app"].values()]
    return {"release": next(one for one in found if "chart" in one)} | {
        one["kind"]: one for one in found if "kind" in one
    }


def said(folder: Path, stacks: dict[str, Any], **more: Any) -> list[str]:
    path = write(folder, stacks, **more)
    try:
        load_environment(str(path), world=World.real(), catalog=Catalog.installed())
    except ConfigError as error:
        return [str(problem).partition(": ")[2] for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("stack", "more", "chart", "repository"),
    [
        ({}, {}, "oci://registry.k8s.io/nfd/charts/node-feature-discovery", None),
        ({"chart": "oci://corp.example/nfd"}, {}, "oci://corp.example/nfd", None),
        ({"chart": "https://corp.example/charts"}, {}, "node-feature-discovery", "https://corp.example/charts"),
        ({"chart": "https://corp.example/nfd-1.tgz"}, {}, "https://corp.example/nfd-1.tgz", None),
        ({}, {"charts": {"mirror": "oci://corp.example/x/"}}, "oci://corp.example/x/node-feature-discovery", None),
        ({}, {"charts": {"mirror": "https://corp.example"}}, "node-feature-discovery", "https://corp.example"),
        ({"chart": "oci://near/nfd"}, {"charts": {"mirror": "oci://corp.example"}}, "oci://near/nfd", None),
        ({}, {"charts": {"mirror": "charts"}}, "{folder}/charts/node-feature-discovery-0.19.0.tgz", None),
        ({"chart": "mine/nfd.tgz"}, {}, "{folder}/mine/nfd.tgz", None),
    ],
)
def test_a_stack_then_the_mirror_then_the_official_source_say_where_a_chart_comes_from(
    tmp_path: Path, stack: dict[str, Any], more: dict[str, Any], chart: str, repository: str | None
) -> None:
    release = released(tmp_path, {**NFD, **stack}, **more)["release"]

    assert release["chart"] == chart.format(folder=tmp_path)
    assert release.get("repository") == repository


def test_an_unpacked_chart_in_the_mirror_counts_where_there_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "charts" / "node-feature-discovery").mkdir(parents=True)
    release = released(tmp_path, NFD, charts={"mirror": "charts"})["release"]

    assert release["chart"] == str(tmp_path / "charts" / "node-feature-discovery")


@pytest.mark.parametrize("kind", ["nfd", "cert_manager", "gpu_operator"])
def test_images_come_from_the_registry_of_the_file_with_a_secret_that_the_stack_makes(
    tmp_path: Path, kind: str
) -> None:
    stack = {"kind": kind, "cluster": "${cluster}"} | ({"nfd": "${nfd}"} if kind == "gpu_operator" else {})
    images = {"registry": "corp.example:5000", "pull_secrets": ["theirs"], "credentials": ACCOUNT}
    made = released(tmp_path, stack, charts={"images": images})

    values = made["release"]["values"]
    assert made["Secret"]["metadata"]["name"] == "aiinfra-registry"
    assert made["Secret"]["data"] == {".dockerconfigjson": "<secret env:CHARTS_PASSWORD>"}
    match kind:
        case "nfd":
            assert values["image"]["repository"] == "corp.example:5000/nfd/node-feature-discovery"
            assert values["imagePullSecrets"] == [{"name": "theirs"}, {"name": "aiinfra-registry"}]
        case "cert_manager":
            assert values["imageRegistry"] == "corp.example:5000"
            assert values["global"]["imagePullSecrets"] == [{"name": "theirs"}, {"name": "aiinfra-registry"}]
        case "gpu_operator":
            assert values["driver"]["repository"] == "corp.example:5000/nvidia"
            assert values["driver"]["manager"]["repository"] == "corp.example:5000/nvidia/cloud-native"
            assert values["toolkit"]["repository"] == "corp.example:5000/nvidia/k8s"
            assert values["driver"]["imagePullSecrets"] == ["theirs", "aiinfra-registry"]


def test_fields_and_values_win_over_the_registry_of_the_file(tmp_path: Path) -> None:
    values = {"image": {"repository": "near.example/nfd"}}
    release = released(tmp_path, {**NFD, "values": values}, charts={"images": {"registry": "corp.example"}})["release"]

    assert release["values"]["image"]["repository"] == "near.example/nfd"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"charts": {"mirror": "oci://corp", "credentials": {"user": "robot", "password": "hunter22"}}},
            ["charts.credentials.password: stands in clear here; write ${env:NAME} or ${file:PATH}"],
        ),
        (
            {"charts": {"images": {"credentials": ACCOUNT}}},
            ["charts.images: credentials belong to no registry; write registry too"],
        ),
        (
            {"charts": {"images": {"registry": "https://corp"}}},
            [
                "charts.images.registry: wants the host of a registry, and a path in it or none, without https://: "
                "registry.corp/nvidia"
            ],
        ),
    ],
)
def test_what_a_charts_block_cannot_say(tmp_path: Path, more: dict[str, Any], says: list[str]) -> None:
    assert said(tmp_path, {"nfd": NFD}, **more) == says


@pytest.mark.parametrize(
    ("place", "wrong", "mended"),
    [
        ("ftp://corp/charts", "charts do not come by ftp://", "write oci://…, https://…, or a path"),
        (
            "https://robot:hunter22@corp/charts",
            "an account stands in this address",
            "write charts.credentials, with the password as ${env:NAME}",
        ),
    ],
)
def test_an_address_that_charts_do_not_come_from(tmp_path: Path, place: str, wrong: str, mended: str) -> None:
    assert said(tmp_path, {"nfd": NFD}, charts={"mirror": place}) == [f"charts.mirror: {wrong}; {mended}"]
    assert said(tmp_path, {"nfd": {**NFD, "chart": place}}) == [f"stacks.nfd.chart: {wrong} ({mended})"]


@pytest.mark.parametrize(
    ("chart", "says"),
    [
        ("oci://corp/x/", "oci://corp/x/ names no chart (end it with the chart's name)"),
        ("oci://corp:5000/nfd:1", "oci://corp:5000/nfd:1 has a tag, and the version stands in version (drop :1)"),
    ],
)
def test_a_reference_that_is_not_one_of_a_chart(tmp_path: Path, chart: str, says: str) -> None:
    assert said(tmp_path, {"nfd": {**NFD, "chart": chart}}) == [f"stacks.nfd.chart: {says}"]


def test_a_folder_that_has_no_chart_yet_is_filled_from_the_official_sources(tmp_path: Path) -> None:
    images = {"registry": "corp.example", "credentials": ACCOUNT}
    path = write(tmp_path, {"nfd": NFD}, charts={"mirror": "charts", "images": images})
    plan = load_environment(str(path), world=World.real(), catalog=Catalog.installed()).plan

    def recorded() -> dict[str, Any]:
        step = to_be_mirrored(plan.steps[StackName("nfd")], tmp_path)
        changed = replace(plan, steps={**plan.steps, StackName("nfd"): step})
        texts = render_texts(changed, [StackName("nfd")], tmp_path)["nfd"].values()
        assert not any("aiinfra-registry" in text for text in texts)
        return next(one for text in texts if "chart" in (one := YAML(typ="safe").load(text)))

    with pytest.raises(ConfigError, match=rf"on a connected machine, aiinfra charts mirror ENV {tmp_path}/charts"):
        check_files(plan, tmp_path, lambda at: "")
    empty = recorded()
    archive = tmp_path / "charts" / "node-feature-discovery-0.19.0.tgz"
    archive.parent.mkdir()
    archive.write_bytes(b"one")

    assert empty["chart"] == "oci://registry.k8s.io/nfd/charts/node-feature-discovery"
    assert "repository" not in empty["values"].get("image", {})
    assert recorded()["chart"] == str(archive)


def test_a_chart_that_is_a_file_is_part_of_what_runs(tmp_path: Path) -> None:
    archive = tmp_path / "nfd.tgz"
    archive.write_bytes(b"one")
    path = write(tmp_path, {"nfd": {**NFD, "chart": "nfd.tgz"}})
    plan = load_environment(str(path), world=World.real(), catalog=Catalog.installed()).plan
    step = plan.steps[StackName("nfd")]

    assert isinstance(step.kind.checks, UsesFiles)
    assert list(step.kind.checks.files(step.inputs, tmp_path)) == [UsedFile(("chart",), archive)]
    shown = "".join(render_texts(plan, [StackName("nfd")], tmp_path)["nfd"].values())
    assert f"description: chart nfd.tgz, sha256:{hashlib.sha256(b'one').hexdigest()}" in shown
