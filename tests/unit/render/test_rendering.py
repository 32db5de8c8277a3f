"""Programs run without an engine: what they would apply, with the origin of all that is not known yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from aiinfra.config import load_environment
from aiinfra.plan.planner import Plan
from aiinfra.render.rendering import RenderFailed, render
from aiinfra.stack import StackName
from aiinfra.world import World
from tests.unit.render.kinds import CATALOG

CANARY = "canary-5f0e7d1c9a"
SITE = """\
version: v1
name: site
stacks:
  cluster: {kind: cluster, kubeconfig: "${file:kubeconfig}"}
  app:
    kind: app
    cluster: ${cluster}
    settings: {token: "${env:TOKEN}", mode: fast}
"""


def plan_of(folder: Path, text: str = SITE, environ: Mapping[str, str] | None = None) -> Plan:
    (folder / "site.yaml").write_text(text)
    world = World(environ or {}, lambda: datetime(2026, 1, 2, tzinfo=UTC), folder, interactive=False)
    return load_environment("site.yaml", world=world, catalog=CATALOG).plan


def test_each_value_that_is_not_known_says_why(tmp_path: Path) -> None:
    render(plan_of(tmp_path), tmp_path / "out")
    files = sorted((tmp_path / "out" / "app").iterdir())
    made = {path.name: YAML(typ="safe").load(path.read_text()) for path in files}

    assert list(made) == [
        "01-configmap-facts.yaml",
        "02-secret-settings.yaml",
        "03-service-door.yaml",
        "04-configmap-address.yaml",
    ]
    assert made["01-configmap-facts.yaml"]["data"] == {
        "uid": "<known after cluster>",
        "zone": "north",
        "login": "<secret known after cluster>",
    }
    assert made["02-secret-settings.yaml"]["stringData"] == "<secret env:TOKEN>"
    assert made["04-configmap-address.yaml"]["data"] == {"at": "<known after app>", "door": "<known after app>"}


def test_secrets_are_not_even_read(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(CANARY)
    render(plan_of(tmp_path, environ={"TOKEN": CANARY}), tmp_path / "out")

    assert not [path for path in (tmp_path / "out").rglob("*.yaml") if CANARY in path.read_text()]


def test_one_stack_alone_is_written_with_what_it_needs_run_before(tmp_path: Path) -> None:
    files = render(plan_of(tmp_path), tmp_path / "out", [StackName("app")])

    assert list(files) == ["app"]
    assert "<known after cluster>" in files["app"]["01-configmap-facts.yaml"]


def test_files_of_an_earlier_rendering_go_and_those_of_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "app"
    folder.mkdir(parents=True)
    (folder / "09-configmap-old.yaml").write_text("# Rendered by aiinfra: environment site, stack app.\na: 1\n")
    (folder / "mine.yaml").write_text("a: 1\n")

    render(plan_of(tmp_path), tmp_path / "out")

    assert not (folder / "09-configmap-old.yaml").exists()
    assert (folder / "mine.yaml").exists()


def test_files_of_stacks_that_the_environment_no_longer_has_go_with_a_whole_rendering_only(tmp_path: Path) -> None:
    gone, others = tmp_path / "out" / "gone", tmp_path / "out" / "others"
    for folder, environment in ((gone, "site"), (others, "another")):
        folder.mkdir(parents=True)
        text = f"# Rendered by aiinfra: environment {environment}, stack {folder.name}.\na: 1\n"
        (folder / "01-configmap-old.yaml").write_text(text)

    render(plan_of(tmp_path), tmp_path / "out", [StackName("app")])
    assert (gone / "01-configmap-old.yaml").exists()

    render(plan_of(tmp_path), tmp_path / "out")
    assert not gone.exists()
    assert (others / "01-configmap-old.yaml").exists()


def test_what_others_keep_in_the_folder_stays_whatever_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "app"
    (folder / "folder.yaml").mkdir(parents=True)
    (folder / "latin.yaml").write_bytes(b"\xff\xfe")
    (folder / "broken.yaml").symlink_to("nowhere")

    render(plan_of(tmp_path), tmp_path / "out")

    assert {path.name for path in folder.iterdir()} > {"folder.yaml", "latin.yaml", "broken.yaml"}


def test_a_program_that_fails_is_named_with_its_reason(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, SITE + "    fails: no such thing\n")

    with pytest.raises(RenderFailed) as failure:
        render(plan, tmp_path / "out")

    assert failure.value.record.where == "app"
    assert "ValueError: no such thing" in failure.value.record.message
    assert not (tmp_path / "out").exists()
